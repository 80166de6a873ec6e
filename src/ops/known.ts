// Moving elements that are known before a run: what constant folding does for ops that only rearrange their input.

import type { Dim } from "../graph/symbols";
import { allocate, sizeOf, type Tensor, tensor } from "../graph/tensor";
import type { Known } from "./op";

/** Distance, in elements, between neighbours along each axis of a dense row-major array. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** A list that can hold what `x` holds: a typed array for numbers, a plain one for dimensions over symbols. */
export const listLike = (x: Known, length: number): { [i: number]: Dim; readonly length: number } =>
  ArrayBuffer.isView(x.data) ? (allocate(x.dtype, length) as never) : new Array<Dim>(length);

/** `y[i0, i1, …] = x[offset + Σ i·strides]`, y dense of `shape`. */
export function stridedCopy(
  x: Known,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): Known {
  const data = listLike(x, sizeOf(shape));
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let i = 0; i < data.length; i++) {
    data[i] = x.data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return { dtype: x.dtype, shape, data };
}

/** The numbers of a known value, or undefined when one of them depends on a symbol. */
export function numbersIn(known: Known | undefined): readonly number[] | undefined {
  if (!known) return undefined;
  const numbers = Array.from(known.data);
  return numbers.every((value) => typeof value === "number") ? numbers : undefined;
}

/** A shape without symbols, or undefined. */
export const numericShape = (shape: readonly Dim[]): readonly number[] | undefined =>
  shape.every((dim) => typeof dim === "number") ? shape : undefined;

/** A known value repeated to a shape it broadcasts to. */
export function expandKnown(x: Known, shape: readonly number[]): Known {
  const own = stridesOf(x.shape);
  const skipped = shape.length - x.shape.length;
  const strides = shape.map((_, i) => (i < skipped || x.shape[i - skipped] === 1 ? 0 : own[i - skipped]!));
  return stridedCopy(x, shape, strides);
}

/** Elementwise evaluation; undefined where `f` has no answer for an element. */
export function evaluateUnary(
  x: Known | undefined,
  f: (value: Dim) => Dim | undefined,
): readonly Known[] | undefined {
  if (!x) return undefined;
  const data = listLike(x, x.data.length);
  for (let i = 0; i < data.length; i++) {
    const value = f(x.data[i]!);
    if (value === undefined) return undefined;
    data[i] = value;
  }
  return [{ dtype: x.dtype, shape: x.shape, data }];
}

/** The tensor of a known value without symbols, whose integers i32 can hold. */
export function tensorOf({ dtype, shape, data }: Known): Tensor | undefined {
  if (ArrayBuffer.isView(data)) return { dtype, shape, data } as Tensor;
  const values: Dim[] = Array.from(data);
  if (!values.every((value) => typeof value === "number") || values.length !== sizeOf(shape))
    return undefined;
  if (dtype === "i32" && values.some((value) => value !== (value | 0))) return undefined;
  return tensor(dtype, shape, values);
}
