// IDX, the format of MNIST (yann.lecun.com/exdb/mnist, "the IDX file format"): two zero bytes, an element type, a
// rank, the dimensions and the elements, all big-endian. Gzip around it is taken off.

import { FormatError } from "../errors";
import type { Tensor } from "../graph/tensor";
import { countElements, MAX_RANK } from "./checks";
import { decodeElements, type ElementKind, elementKinds } from "./elements";
import { gunzip, isGzip } from "./inflate";

/** Unpacked bytes of a gzipped file. */
export const MAX_IDX_BYTES = 2 ** 30;

const kinds = new Map<number, ElementKind>([
  [0x08, "u8"],
  [0x09, "i8"],
  [0x0b, "i16"],
  [0x0c, "i32"],
  [0x0d, "f32"],
  [0x0e, "f64"],
]);

/**
 * Reads one tensor of any shape, gzipped or not; the data are a copy. u8, i8, i32 and f32 stay, i16 becomes i32,
 * f64 becomes f32. `where` is the file's name for errors.
 * @throws FormatError when the bytes are not an IDX file, or unpack to more than MAX_IDX_BYTES.
 */
export function readIdx(bytes: Uint8Array, where = "idx"): Tensor {
  const file = isGzip(bytes) ? gunzip(bytes, MAX_IDX_BYTES, where) : bytes;
  const kind = kinds.get(file[2] ?? 0);
  const rank = file[3] ?? 0;
  if (file[0] !== 0 || file[1] !== 0 || kind === undefined || rank > MAX_RANK)
    throw new FormatError("not an IDX file", {
      where,
      offset: 0,
      expected: `0, 0, an element type (8, 9, 11 to 14), a rank of at most ${MAX_RANK}`,
      got: file.slice(0, 4).join(", "),
    });
  const start = 4 + 4 * rank;
  if (file.length < start)
    throw new FormatError("truncated", {
      where,
      offset: file.length,
      expected: `${rank} dimensions of 4 bytes`,
    });
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = countElements(shape);
  if (count === undefined || count * elementKinds[kind].bytes !== file.length - start)
    throw new FormatError("the data do not fill the shape", {
      where,
      offset: start,
      expected: `${kind} [${shape.join(", ")}]`,
      got: `${file.length - start} bytes`,
    });
  const { dtype, data } = decodeElements(kind, file.subarray(start), false);
  return { dtype, shape, data };
}
