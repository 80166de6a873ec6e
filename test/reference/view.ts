// Index arithmetic: where in memory the elements of a tensor lie when it is seen transposed, broadcast, sliced or
// as a part of another. Everything that moves elements is one call of `pick` or one loop over `offsets`.

import { allocate, sizeOf, type Tensor } from "../../src/graph/tensor";

export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let d = shape.length - 1, stride = 1; d >= 0; stride *= shape[d--]!) strides[d] = stride;
  return strides;
}

/** Σ index[d] · strides[d] for every index of `shape`, the last dimension fastest. */
export function offsets(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  let all = Int32Array.of(start);
  shape.forEach((size, d) => {
    const next = new Int32Array(all.length * size);
    for (let i = 0; i < all.length; i++)
      for (let j = 0; j < size; j++) next[i * size + j] = all[i]! + j * strides[d]!;
    all = next;
  });
  return all;
}

/** The tensor of `shape` whose elements lie at `strides` in another. */
export function pick(from: Tensor, shape: readonly number[], strides: readonly number[], start = 0): Tensor {
  const data = allocate(from.dtype, sizeOf(shape));
  offsets(shape, strides, start).forEach((at, i) => {
    data[i] = from.data[at]!;
  });
  return { dtype: from.dtype, shape, data };
}

/** Shape of an elementwise result (ONNX's multidirectional broadcasting). */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, d) => {
    const [m, n] = [a[d - rank + a.length] ?? 1, b[d - rank + b.length] ?? 1];
    if (m !== n && m !== 1 && n !== 1) throw new Error(`reference: [${a}] and [${b}] do not broadcast`);
    return m === 1 ? n : m;
  });
}

/** Strides with which a tensor of shape `from` is read as one of shape `to`. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const strides = stridesOf(from);
  return to.map((_, d) => {
    const e = d - to.length + from.length;
    return e < 0 || from[e] === 1 ? 0 : strides[e]!;
  });
}

export const expand = (from: Tensor, to: readonly number[]): Tensor =>
  pick(from, to, broadcastStrides(from.shape, to));
