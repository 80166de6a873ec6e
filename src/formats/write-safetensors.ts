// Writes safetensors files, of the layout that safetensors.ts draws.

import { OctetteError } from "../errors";
import { bytesIn, bytesPerElement, type Constant, isVector, sizeOf, type Tensor } from "../graph/tensor";
import { isInt4 } from "./int4";
import { storedNames } from "./own-tensors";
import { LENGTH_BYTES } from "./safetensors-header";

/** Data of a written file start at a multiple of this, a cache line. */
const ALIGN = 64;

/** Comes after every character of a name. */
const LAST = "\uffff";

/** What comes before the data of a file, and the order of its tensors. */
export interface SafetensorsHead {
  readonly head: Uint8Array<ArrayBuffer>;
  readonly order: readonly string[];
  /** Bytes of the whole file. */
  readonly fileBytes: number;
}

/**
 * Writes tensors ordered by descending element size, so that each is aligned to its elements and none needs padding;
 * vectors first, which who reads in order may need to know before the rest; then by name (UTF-16 code units), codes of 4 bits after all
 * that their names begin, such as the scales of their groups: read last, they need not be kept until those come. Data start at a
 * multiple of 64 bytes. Equal input gives equal bytes.
 * @throws OctetteError "argument" for a tensor named `__metadata__`.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const { head, order, fileBytes } = safetensorsHead(tensors, metadata);
  const bytes = new Uint8Array(fileBytes);
  bytes.set(head);
  let at = head.length;
  for (const name of order) {
    const { data } = tensors.get(name)!;
    bytes.set(bytesIn(data), at);
    at += data.byteLength;
  }
  return bytes;
}

/** The header of a file of such tensors, with the checks and in the order of writeSafetensors. */
export function safetensorsHead(
  tensors: ReadonlyMap<string, Constant>,
  metadata: Readonly<Record<string, string>>,
): SafetensorsHead {
  if (tensors.has("__metadata__"))
    throw new OctetteError("the name is reserved", {
      code: "argument",
      where: 'tensor "__metadata__"',
    });
  const keys = [...tensors].map(([name, { dtype, shape }]) => {
    const isCodes = isInt4(name, metadata);
    const isEarly = isVector(shape) && !isCodes;
    return { name, size: bytesPerElement[dtype], isEarly, place: isCodes ? `${name}${LAST}` : name };
  });
  const ordered = keys
    .sort((a, b) => b.size - a.size || Number(b.isEarly) - Number(a.isEarly) || (a.place < b.place ? -1 : 1))
    .map(({ name }) => [name, tensors.get(name)!] as const);
  // Text is joined by hand: an object would reorder names such as "7" and lose "__proto__".
  const members = Object.keys(metadata).length > 0 ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  let end = 0;
  for (const [name, { dtype, shape }] of ordered) {
    const bytes = sizeOf(shape) * bytesPerElement[dtype];
    const info = { dtype: storedNames[dtype], shape, data_offsets: [end, (end += bytes)] };
    members.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
  }
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  const headerBytes = Math.ceil((LENGTH_BYTES + json.length) / ALIGN) * ALIGN;
  const head = new Uint8Array(headerBytes).fill(0x20);
  new DataView(head.buffer).setUint32(0, headerBytes - LENGTH_BYTES, true);
  new DataView(head.buffer).setUint32(4, 0, true);
  head.set(json, LENGTH_BYTES);
  return { head, order: ordered.map(([name]) => name), fileBytes: headerBytes + end };
}
