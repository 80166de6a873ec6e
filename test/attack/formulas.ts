// Scalar formulas of operators, written from ONNX's text: what a rule compares octette with where ONNX Runtime differs.

import { count } from "./elements";

type Numbers = readonly number[];
export interface Dense {
  readonly shape: Numbers;
  readonly values: Numbers;
}

/** Every index of a shape, in order. */
export function* indicesOf(shape: Numbers): Generator<number[]> {
  const index = shape.map(() => 0);
  for (let n = count(shape); n > 0; n--) {
    yield [...index];
    for (let d = shape.length - 1; d >= 0 && ++index[d]! === shape[d]; d--) index[d] = 0;
  }
}

export const offsetOf = (index: Numbers, shape: Numbers) => index.reduce((at, i, d) => at * shape[d]! + i, 0);

/** Slice-10: start and end are clamped, to −1 and dim − 1 where the step is negative, after negative ones count from the end. */
export function slice(x: Dense, starts: Numbers, ends: Numbers, axes: Numbers, steps: Numbers): Dense {
  const rank = x.shape.length;
  const from = x.shape.map(() => 0);
  const step = x.shape.map(() => 1);
  const shape = [...x.shape];
  for (const [i, axis] of axes.entries()) {
    const at = axis < 0 ? axis + rank : axis;
    const dim = x.shape[at]!;
    step[at] = steps[i]!;
    const [low, high] = step[at]! > 0 ? [0, dim] : [-1, dim - 1];
    const clamped = (v: number, least: number) => Math.min(high, Math.max(least, v < 0 ? v + dim : v));
    from[at] = clamped(starts[i]!, 0);
    shape[at] = Math.max(0, Math.ceil((clamped(ends[i]!, low) - from[at]!) / step[at]!));
  }
  const values = [...indicesOf(shape)].map(
    (index) =>
      x.values[
        offsetOf(
          index.map((v, d) => from[d]! + v * step[d]!),
          x.shape,
        )
      ]!,
  );
  return { shape, values };
}

export interface Window {
  readonly kernel: Numbers;
  readonly strides: Numbers;
  readonly dilations: Numbers;
  readonly pads: Numbers;
  readonly autoPad: string;
  readonly ceil: boolean;
}

/** Spatial sizes of a window's results, and the padding at the begin of each axis. */
export function placesOf(dims: Numbers, { kernel, strides, dilations, pads, autoPad, ceil }: Window) {
  return dims.map((dim, d) => {
    const extent = (kernel[d]! - 1) * dilations[d]! + 1;
    const stride = strides[d]!;
    if (autoPad.startsWith("SAME")) {
      const size = Math.ceil(dim / stride);
      const total = Math.max(0, (size - 1) * stride + extent - dim);
      return { size, before: autoPad === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2), total };
    }
    const [before, after] = autoPad === "VALID" ? [0, 0] : [pads[d]!, pads[d + dims.length]!];
    const steps = (dim + before + after - extent) / stride;
    let size = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // A window that would begin in the padding at the end is left out.
    if (ceil && (size - 1) * stride >= dim + before) size--;
    return { size, before, total: before + after };
  });
}

/** Pools of x [n, c, …]: `join` is given a window's elements, and how many it has with the padding. */
export function pool(x: Dense, window: Window, join: (elements: Numbers, padded: number) => number): Dense {
  const dims = x.shape.slice(2);
  const places = placesOf(dims, window);
  const shape = [...x.shape.slice(0, 2), ...places.map(({ size }) => size)];
  const values = [...indicesOf(shape)].map((index) => {
    const elements: number[] = [];
    let padded = 0;
    for (const tap of indicesOf(window.kernel)) {
      const at = tap.map(
        (t, d) => index[d + 2]! * window.strides[d]! + t * window.dilations[d]! - places[d]!.before,
      );
      const fits = at.every((v, d) => v >= 0 && v < dims[d]!);
      if (fits) elements.push(x.values[offsetOf([...index.slice(0, 2), ...at], x.shape)]!);
      // The padding of a ceiled window ends where the pads end.
      if (at.every((v, d) => v < dims[d]! - places[d]!.before + places[d]!.total)) padded++;
    }
    return join(elements, padded);
  });
  return { shape, values };
}

/** The greatest of some elements; NaN where one of them is. */
export const greatest = (elements: Numbers) =>
  elements.reduce(
    (most, v) => (Number.isNaN(most) || Number.isNaN(v) ? Number.NaN : Math.max(most, v)),
    Number.NEGATIVE_INFINITY,
  );

/** Where the greatest element along an axis is, the first one or the last one; NaN is greater than any number. */
export function argMax(x: Dense, axis: number, takesLast: boolean): Numbers {
  const kept = x.shape.map((dim, i) => (i === axis ? 1 : dim));
  return [...indicesOf(kept)].map((index) => {
    const elements = Array.from(
      { length: x.shape[axis]! },
      (_, k) => x.values[offsetOf(index.with(axis, k), x.shape)]!,
    );
    const most = greatest(elements);
    const same = (v: number) => v === most || Object.is(v, most);
    return takesLast ? elements.findLastIndex(same) : elements.findIndex(same);
  });
}

/** Gemm in double: alpha · A' · B' + beta · C. */
export function gemm(
  a: Dense,
  b: Dense,
  c: Dense | undefined,
  attributes: Readonly<Record<string, number>>,
): Dense {
  const { alpha = 1, beta = 1, transA = 0, transB = 0 } = attributes;
  const [m, k] = transA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
  const n = transB ? b.shape[0]! : b.shape[1]!;
  const at = (x: Dense, row: number, col: number, isTransposed: number) =>
    isTransposed ? x.values[col * x.shape[1]! + row]! : x.values[row * x.shape[1]! + col]!;
  const added = (i: number, j: number) => {
    if (!c) return 0;
    const [rows, cols] = [c.shape.at(-2) ?? 1, c.shape.at(-1) ?? 1];
    return beta * c.values[(rows === 1 ? 0 : i) * cols + (cols === 1 ? 0 : j)]!;
  };
  const values = [...indicesOf([m, n])].map(([i, j]) => {
    let sum = 0;
    for (let l = 0; l < k; l++) sum += at(a, i!, l, transA) * at(b, l, j!, transB);
    return alpha * sum + added(i!, j!);
  });
  return { shape: [m, n], values };
}

/** The error function, by its series where that converges fast, else by the continued fraction of its complement. */
function erf(x: number): number {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size > 2.5) {
    let fraction = 0;
    for (let i = 120; i > 0; i--) fraction = i / 2 / (size + fraction);
    return Math.sign(x) * (1 - Math.exp(-size * size) / ((size + fraction) * Math.sqrt(Math.PI)));
  }
  let term = x;
  let sum = x;
  for (let i = 1; i < 120; i++) {
    term *= (-x * x) / i;
    sum += term / (2 * i + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Functions of one number, in double. */
export const curves: Readonly<Record<string, (x: number) => number>> = {
  Erf: erf,
  Gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  GeluTanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  Sigmoid: sigmoid,
  Swish: (x) => x * sigmoid(x),
  Tanh: Math.tanh,
};
