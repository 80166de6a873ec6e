// The int8 kernels once more, as plain loops over numbers, from numerics.md.

const f = Math.fround;

/** Half to even, as f32x4.nearest. */
export function rne(x: number): number {
  const r = Math.round(x);
  return r - x === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

export interface Codes {
  readonly zero: number;
  readonly lo: number;
  readonly hi: number;
}

export const requantize = (sum: number, scale: number, { zero, lo, hi }: Codes): number =>
  Math.max(lo, Math.min(hi, rne(f(f(sum) * scale)) + zero));

/** Σ_k x[k] · w[k] in int32. */
export function dot(k: number, x: (k: number) => number, w: (k: number) => number): number {
  let sum = 0;
  for (let i = 0; i < k; i++) sum = (sum + Math.imul(x(i), w(i))) | 0;
  return sum;
}

export function dequantize(
  sum: number,
  colsum: number,
  scale: number,
  bias: number,
  xScale: number,
  xZero: number,
  lo: number,
  hi: number,
): number {
  const y = f(f(f((sum - Math.imul(xZero, colsum)) | 0) * f(xScale * scale)) + bias);
  return Math.min(Math.max(y, lo), hi);
}

export interface Window {
  readonly inH: number;
  readonly inW: number;
  readonly outH: number;
  readonly outW: number;
  readonly kh: number;
  readonly kw: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/** Index of the input pixel that a tap of an output pixel (over the whole batch) reads, or −1 outside the image. */
export function tapPixel(g: Window, pixel: number, tap: number): number {
  const ox = pixel % g.outW;
  const row = Math.floor(pixel / g.outW);
  const y = (row % g.outH) * g.strideH - g.padTop + Math.floor(tap / g.kw) * g.dilationH;
  const x = ox * g.strideW - g.padLeft + (tap % g.kw) * g.dilationW;
  const inside = y >= 0 && y < g.inH && x >= 0 && x < g.inW;
  return inside ? (Math.floor(row / g.outH) * g.inH + y) * g.inW + x : -1;
}
