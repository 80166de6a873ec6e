// Reads NumPy's .npz: a zip of .npy files, stored or deflated. The zip directory is read first, with its sizes, so that a
// hostile file is refused before it is unpacked.

import { FormatError } from "../errors";
import type { Tensor } from "../graph/tensor";
import { checkCrc32, inflateExactly, unpackedLimit } from "./inflate";
import { readNpy } from "./npy";

/** Unpacked bytes of all arrays of a file together; a browser tab holds little more. */
export const MAX_NPZ_BYTES = 2 ** 30;

// PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.
const LOCAL = 0x04034b50;
const DIRECTORY = 0x02014b50;
const END = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 65535;

interface Entry {
  readonly name: string;
  readonly deflated: boolean;
  readonly crc: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  /** Offset of its local header. */
  readonly offset: number;
}

/**
 * Reads every array; keys are the names without `.npy`. `where` is the file's name for errors.
 * @throws FormatError when the bytes are not a zip, unpack to more than MAX_NPZ_BYTES, or hold arrays that readNpy
 * does not read.
 */
export function readNpz(bytes: Uint8Array, where = "npz"): Map<string, Tensor> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tensors = new Map<string, Tensor>();
  for (const entry of readDirectory(view, where)) {
    const { name, deflated, crc, offset } = entry;
    const inside = `${where}, array "${name}"`;
    const start = startOfData(view, entry, where);
    const content = bytes.subarray(start, start + entry.compressedBytes);
    let npy = content;
    if (deflated) npy = inflateExactly(content, entry.bytes, crc, inside, start);
    else checkCrc32(content, crc, inside, start);
    if (tensors.has(name)) throw new FormatError(`two arrays named "${name}"`, { where, offset });
    tensors.set(name, readNpy(npy, inside));
  }
  return tensors;
}

function readDirectory(view: DataView, where: string): Entry[] {
  const fail = (
    what: string,
    offset: number,
    facts: { expected?: string; got?: string; hint?: string } = {},
  ): never => {
    throw new FormatError(what, { where, offset, ...facts });
  };
  let end = view.byteLength - END_BYTES;
  const first = Math.max(0, end - MAX_COMMENT_BYTES);
  while (end >= first && view.getUint32(end, true) !== END) end--;
  if (end < first) fail("not a zip file, or a truncated one", view.byteLength);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  const most = Math.min(MAX_NPZ_BYTES, unpackedLimit(view.byteLength));
  let total = 0;
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== DIRECTORY) fail("the zip directory is broken", at);
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const compressedBytes = view.getUint32(at + 20, true);
    const bytes = view.getUint32(at + 24, true);
    const nameBytes = view.getUint16(at + 28, true);
    if (at + 46 + nameBytes > end) fail("the zip directory is broken", at);
    const file = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameBytes));
    if (flags & 1) fail(`"${file}" is encrypted`, at);
    if (method !== 0 && method !== 8)
      fail(`"${file}" is compressed in an unknown way`, at, {
        expected: "stored or deflated",
        got: `method ${method}`,
      });
    if (method === 0 && compressedBytes !== bytes) fail(`"${file}" is stored but has two sizes`, at);
    if (!file.endsWith(".npy")) fail(`"${file}" is not an array`, at, { expected: "files that end in .npy" });
    total += bytes;
    if (total > most)
      fail("too large when unpacked", at, {
        expected: `at most ${most} bytes (MAX_NPZ_BYTES, MAX_UNPACK_RATIO)`,
        got: `${total} bytes or more`,
        hint: "Save the arrays as separate .npy files.",
      });
    entries.push({
      name: file.slice(0, -".npy".length),
      deflated: method === 8,
      crc: view.getUint32(at + 16, true),
      compressedBytes,
      bytes,
      offset: view.getUint32(at + 42, true),
    });
    at += 46 + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

/** Offset of an entry's content, after its local header, whose name and extra field have lengths of their own. */
function startOfData(view: DataView, { name, offset, compressedBytes }: Entry, where: string): number {
  const size = view.byteLength;
  if (offset + 30 <= size && view.getUint32(offset, true) === LOCAL) {
    const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
    if (start + compressedBytes <= size) return start;
  }
  throw new FormatError(`array "${name}" is not where the zip directory says`, { where, offset });
}
