// Codes that all fit 4 bits, written two to a byte, low nibble first, in two's complement (as ONNX's INT4): a U8 tensor
// whose shape in elements the metadata have as `int4 NAME`. Read, they are a byte each again (safetensors.ts).

import { isVector, type Tensor } from "../graph/tensor";

const fits = ({ dtype, shape, data }: Tensor) =>
  dtype === "i8" && !isVector(shape) && data.length > 0 && data.every((code) => code >= -8 && code < 8);

/** Tensors as they are written, and what the metadata must say of those that were packed. */
export function packInt4(tensors: ReadonlyMap<string, Tensor>): {
  stored: ReadonlyMap<string, Tensor>;
  shapes: Readonly<Record<string, string>>;
} {
  const stored = new Map(tensors);
  const shapes: Record<string, string> = {};
  for (const name of [...tensors.keys()].sort()) {
    const tensor = tensors.get(name)!;
    if (!fits(tensor)) continue;
    const data = new Uint8Array(Math.ceil(tensor.data.length / 2));
    for (const [i, code] of tensor.data.entries()) data[i >> 1]! |= (code & 15) << (4 * (i & 1));
    stored.set(name, { dtype: "u8", shape: [data.length], data });
    shapes[`int4 ${name}`] = `${tensor.shape}`;
  }
  return { stored, shapes };
}
