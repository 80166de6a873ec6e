// Writes NumPy's .npz as numpy.savez does: a zip of .npy files that are stored, not compressed (PKWARE APPNOTE 6.3.10, sections 4.3.7,
// 4.3.12 and 4.3.16).

import { OctetteError } from "../errors";
import type { Tensor } from "../graph/tensor";
import { crc32 } from "./crc32";
import { writeNpy } from "./npy";

/** 1 January 1980, the first day that a zip knows. */
const DATE = 0x21;
const VERSION = 20;
/** The largest count, length and offset of a zip, by the bytes of its field. */
const LARGEST = { 2: 65_535, 4: 4_294_967_295 } as const;

/** Numbers of two or four bytes, one after the other. Throws an OctetteError "limit" where one is larger. */
function packed(...numbers: readonly (readonly [bytes: 2 | 4, number: number])[]): Uint8Array {
  const out = new DataView(new ArrayBuffer(numbers.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, number] of numbers) {
    if (number > LARGEST[bytes])
      throw new OctetteError("more than a zip holds", {
        code: "limit",
        where: ".npz",
        expected: `at most ${LARGEST[2]} arrays and bytes of a name, and ${LARGEST[4]} bytes in all`,
        got: `${number}`,
        hint: "Write several files",
      });
    if (bytes === 2) out.setUint16(at, number, true);
    else out.setUint32(at, number, true);
    at += bytes;
  }
  return new Uint8Array(out.buffer);
}

/**
 * Writes the arrays in order, uncompressed and with a fixed date: equal tensors give equal bytes. `readNpz` and NumPy read them.
 * Throws an OctetteError "limit" where a zip cannot hold them.
 */
export function writeNpz(
  tensors: ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>,
): Uint8Array<ArrayBuffer> {
  const arrays = [
    ...(tensors instanceof Map ? tensors : Object.entries<Tensor>(tensors as Record<string, Tensor>)),
  ];
  const [parts, directory]: [Uint8Array[], Uint8Array[]] = [[], []];
  let offset = 0;
  const put = (...added: readonly Uint8Array[]) => {
    parts.push(...added);
    for (const { length } of added) offset += length;
  };
  for (const [array, tensor] of arrays) {
    const name = new TextEncoder().encode(`${array}.npy`);
    const content = writeNpy(tensor);
    const entry = [
      ...([
        [2, VERSION],
        [2, 0x800],
        [2, 0],
        [2, 0],
        [2, DATE],
        [4, crc32(content)],
      ] as const),
      ...([
        [4, content.length],
        [4, content.length],
        [2, name.length],
        [2, 0],
      ] as const),
    ] as const;
    const at = offset;
    put(packed([4, 0x04034b50], ...entry), name, content);
    const rest = [
      [2, 0],
      [2, 0],
      [2, 0],
      [4, 0],
      [4, at],
    ] as const;
    directory.push(packed([4, 0x02014b50], [2, VERSION], ...entry, ...rest), name);
  }
  const begin = offset;
  for (const part of directory) put(part);
  const counts = [
    [2, arrays.length],
    [2, arrays.length],
    [4, offset - begin],
    [4, begin],
    [2, 0],
  ] as const;
  put(packed([4, 0x06054b50], [2, 0], [2, 0], ...counts));
  const out = new Uint8Array(offset);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
