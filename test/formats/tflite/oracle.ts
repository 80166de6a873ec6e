// What TensorFlow Lite's operators compute, element by element, over images [n, h, w, c].

import { sizeOf } from "../../../src/graph/tensor";

export interface Real {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export const real = (shape: readonly number[], data: readonly number[]): Real => ({ shape, data });

/** Numbers that differ, in [−1, 1]. */
export const wave = (shape: readonly number[], seed = 1): Real =>
  real(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.fround(Math.sin(seed * 7 + i * 1.7))),
  );

/** f of every index of a shape. */
export const fill = (shape: readonly number[], f: (index: readonly number[]) => number): Real =>
  real(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => f(indexOf(shape, i))),
  );

function indexOf(shape: readonly number[], i: number): number[] {
  const index: number[] = [];
  for (const dim of [...shape].reverse()) {
    index.unshift(i % dim);
    i = Math.floor(i / dim);
  }
  return index;
}

/** The element at an index; axes of 1 are broadcast, and those that are missing in front. */
export function at({ shape, data }: Real, index: readonly number[]): number {
  let i = 0;
  const own = index.slice(index.length - shape.length);
  for (const [axis, dim] of shape.entries()) i = i * dim + (dim === 1 ? 0 : own[axis]!);
  return data[i]!;
}

export const map = (x: Real, f: (value: number) => number): Real => real(x.shape, x.data.map(f));

export const zip = (shape: readonly number[], a: Real, b: Real, f: (a: number, b: number) => number): Real =>
  fill(shape, (index) => f(at(a, index), at(b, index)));

export interface Window {
  readonly stride: readonly [h: number, w: number];
  readonly dilation?: readonly [h: number, w: number];
  readonly isSame: boolean;
}

/** Where a window begins in the input, and how many there are along an axis. */
function alongAxis(size: number, kernel: number, stride: number, dilation: number, isSame: boolean) {
  const extent = (kernel - 1) * dilation + 1;
  const out = isSame ? Math.ceil(size / stride) : Math.ceil((size - extent + 1) / stride);
  const total = Math.max(0, (out - 1) * stride + extent - size);
  return { out, before: isSame ? Math.floor(total / 2) : 0 };
}

/** Every pixel of the result from the positions of its window: [row, column, kernel row, kernel column] within the image. */
export function slide(
  x: Real,
  kernel: readonly [number, number],
  { stride, dilation = [1, 1], isSame }: Window,
  channels: number,
  f: (n: number, c: number, taps: readonly (readonly [number, number, number, number])[]) => number,
): Real {
  const [batch = 0, h = 0, w = 0] = x.shape;
  const rows = alongAxis(h, kernel[0], stride[0], dilation[0], isSame);
  const cols = alongAxis(w, kernel[1], stride[1], dilation[1], isSame);
  return fill([batch, rows.out, cols.out, channels], ([n = 0, i = 0, j = 0, c = 0]) => {
    const taps: [number, number, number, number][] = [];
    for (let ki = 0; ki < kernel[0]; ki++)
      for (let kj = 0; kj < kernel[1]; kj++) {
        const row = i * stride[0] - rows.before + ki * dilation[0];
        const col = j * stride[1] - cols.before + kj * dilation[1];
        if (row >= 0 && row < h && col >= 0 && col < w) taps.push([row, col, ki, kj]);
      }
    return f(n, c, taps);
  });
}

/** CONV_2D with weights [o, h, w, i] and a bias. */
export function conv(x: Real, w: Real, b: Real, window: Window): Real {
  const [o = 0, kh = 0, kw = 0, inputs = 0] = w.shape;
  return slide(x, [kh, kw], window, o, (n, c, taps) => {
    let sum = b.data[c]!;
    for (const [row, col, ki, kj] of taps)
      for (let i = 0; i < inputs; i++) sum += at(x, [n, row, col, i]) * at(w, [c, ki, kj, i]);
    return sum;
  });
}

/** DEPTHWISE_CONV_2D with weights [1, h, w, o], `o` a multiple of the input's channels. */
export function depthwise(x: Real, w: Real, b: Real, window: Window): Real {
  const [, kh = 0, kw = 0, o = 0] = w.shape;
  const times = o / x.shape[3]!;
  return slide(x, [kh, kw], window, o, (n, c, taps) =>
    taps.reduce(
      (sum, [row, col, ki, kj]) => sum + at(x, [n, row, col, Math.floor(c / times)]) * at(w, [0, ki, kj, c]),
      b.data[c]!,
    ),
  );
}

/** FULLY_CONNECTED over the rows of x, weights [o, i]. */
export function dense(x: Real, w: Real, b: Real): Real {
  const [o = 0, inputs = 0] = w.shape;
  const rows = x.data.length / inputs;
  return fill([rows, o], ([row = 0, c = 0]) => {
    let sum = b.data[c]!;
    for (let i = 0; i < inputs; i++) sum += x.data[row * inputs + i]! * w.data[c * inputs + i]!;
    return sum;
  });
}

/** TRANSPOSE_CONV with weights [o, h, w, i]: what the convolution of that shape sends every input pixel to. */
export function transposeConv(
  x: Real,
  w: Real,
  shape: readonly number[],
  stride: readonly [number, number],
  before: readonly [number, number],
): Real {
  const [o = 0, kh = 0, kw = 0, inputs = 0] = w.shape;
  const [, h = 0, width = 0] = x.shape;
  return fill(shape, ([n = 0, row = 0, col = 0, c = 0]) => {
    let sum = 0;
    for (let i = 0; i < h; i++)
      for (let j = 0; j < width; j++) {
        const [ki, kj] = [row - i * stride[0] + before[0], col - j * stride[1] + before[1]];
        if (ki < 0 || kj < 0 || ki >= kh || kj >= kw || c >= o) continue;
        for (let k = 0; k < inputs; k++) sum += at(x, [n, i, j, k]) * at(w, [c, ki, kj, k]);
      }
    return sum;
  });
}

export interface Scale {
  readonly scale: number;
  readonly zero: number;
  readonly min: number;
  readonly max: number;
}

/** Codes of real numbers, and what they mean. */
export const quantized = (x: Real, { scale, zero, min, max }: Scale): Real =>
  map(x, (value) => Math.min(max, Math.max(min, Math.round(value / scale) + zero)));
export const meaning = (codes: Real, { scale, zero }: Scale): Real =>
  map(codes, (code) => (code - zero) * scale);
