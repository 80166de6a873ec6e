// Codes that all fit 4 bits, written two to a byte, low nibble first, in two's complement (as ONNX's INT4): a U8 tensor
// whose shape in elements the metadata have as `int4 NAME`. Read, they are a byte each again (safetensors.ts).

import { type Constant, isVector, type Tensor } from "../graph/tensor";

/** Whether a tensor is written two codes to a byte. */
export function fitsInt4({ dtype, shape, data }: Tensor): boolean {
  if (dtype !== "i8" || isVector(shape) || data.length === 0) return false;
  for (let i = 0; i < data.length; i++) if (data[i]! < -8 || data[i]! > 7) return false;
  return true;
}

/** A tensor of codes two to a byte. */
export function packedInt4({ data }: Tensor): Tensor {
  const packed = new Uint8Array(Math.ceil(data.length / 2));
  for (let i = 0; i < data.length; i++) packed[i >> 1]! |= (data[i]! & 15) << (4 * (i & 1));
  return { dtype: "u8", shape: [packed.length], data: packed };
}

/** What the metadata say of a tensor whose codes are two to a byte: a name, and its shape in codes. */
export const int4Shape = (name: string, { shape }: Constant) => [`int4 ${name}`, `${shape}`] as const;

/** Whether metadata say that a tensor's codes are two to a byte. */
export const isInt4 = (name: string, metadata: Readonly<Record<string, string>>): boolean =>
  Object.hasOwn(metadata, `int4 ${name}`);

/**
 * Codes of two to a byte to a byte each. `packed` may be the end of `codes`: a byte is read before what it becomes reaches it.
 */
export function unpackInt4(codes: Uint8Array, packed: Uint8Array): void {
  for (let i = 0; i < codes.length; i++) codes[i] = (packed[i >> 1]! << (28 - 4 * (i & 1))) >> 28;
}

/** Tensors as they are written, and what the metadata must say of those that were packed. */
export function packInt4(tensors: ReadonlyMap<string, Tensor>): {
  stored: ReadonlyMap<string, Tensor>;
  shapes: Readonly<Record<string, string>>;
} {
  const stored = new Map(tensors);
  const shapes: Record<string, string> = {};
  for (const name of [...tensors.keys()].sort()) {
    const tensor = tensors.get(name)!;
    if (!fitsInt4(tensor)) continue;
    stored.set(name, packedInt4(tensor));
    const [key, shape] = int4Shape(name, tensor);
    shapes[key] = shape;
  }
  return { stored, shapes };
}
