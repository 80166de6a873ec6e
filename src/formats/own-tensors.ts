// Tensors of octette's own files, which are safetensors of few dtypes: a runtime reads no others.

import { FormatError } from "../errors";
import { allocate, type DType, sizeOf, type Tensor, viewOf } from "../graph/tensor";
import { unpackInt4 } from "./int4";
import { readHeader, type SafetensorsEntry, type SafetensorsHeader } from "./safetensors-header";

/** As files name the dtypes of octette. */
export const storedNames: Readonly<Record<DType, string>> = {
  f32: "F32",
  i8: "I8",
  u8: "U8",
  i32: "I32",
  bool: "BOOL",
};

/** What they become: I4 are codes that lie two to a byte, U8 in the file (int4.ts). */
const types: Readonly<Record<string, { readonly bytes: number; readonly dtype: DType }>> = {
  F32: { bytes: 4, dtype: "f32" },
  I32: { bytes: 4, dtype: "i32" },
  I8: { bytes: 1, dtype: "i8" },
  I4: { bytes: 0.5, dtype: "i8" },
  U8: { bytes: 1, dtype: "u8" },
  BOOL: { bytes: 1, dtype: "bool" },
};

/** As readHeader, of octette's own files. */
export const readOwnHeader = (bytes: Uint8Array, where: string): SafetensorsHeader =>
  readHeader(
    bytes,
    where,
    Object.fromEntries(Object.entries(types).map(([name, { bytes: size }]) => [name, size])),
  );

/** Throws FormatError where an entry's bytes are not as many as it says. */
export function checkBytes(entry: SafetensorsEntry, { length }: Uint8Array, where: string): void {
  if (length !== entry.bytes)
    throw new FormatError("truncated", {
      where: `${where}, tensor "${entry.name}"`,
      offset: entry.offset + length,
      expected: `${entry.bytes} bytes`,
      got: `${length}`,
    });
}

/** The dtype of an entry's elements. */
export const ownDtypeOf = ({ dtype }: SafetensorsEntry): DType => types[dtype]!.dtype;

/** Whether octette's own files may have tensors of a dtype. */
export const isOwn = ({ dtype }: SafetensorsEntry): boolean => Object.hasOwn(types, dtype);

/** Whether an entry's bytes are its elements as they are in memory. */
export const isPlain = ({ dtype }: SafetensorsEntry): boolean => dtype !== "BOOL" && dtype !== "I4";

/** The tensor of an entry from its own bytes: a view of them where they are its elements and lie so that one can be made. */
export function readOwnTensor(entry: SafetensorsEntry, bytes: Uint8Array, where: string): Tensor {
  const { shape, dtype: stored } = entry;
  checkBytes(entry, bytes, where);
  const { bytes: size, dtype } = types[stored]!;
  if (
    stored !== "I4" &&
    bytes.byteOffset % size === 0 &&
    (stored !== "BOOL" || bytes.every((byte) => byte < 2))
  )
    return { dtype, shape, data: viewOf(dtype, bytes.buffer, bytes.byteOffset, bytes.length / size) };
  const data = allocate(dtype, bytes.length / size);
  const elements = new Uint8Array(data.buffer);
  if (stored === "I4") unpackInt4(elements, bytes);
  else elements.set(stored === "BOOL" ? bytes.map((byte) => Number(byte !== 0)) : bytes);
  return { dtype, shape, data: data.subarray(0, sizeOf(shape)) };
}
