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

/** Codes to be added to others; its numbers are f32. */
export interface Addition {
  readonly scale: number;
  readonly other: { readonly scale: number; readonly zero: number };
  readonly y: Codes & { readonly scale: number };
}

/** One code of zero point `zero` plus one other. */
export const add = (q: number, zero: number, b: number, { scale, other, y }: Addition): number => {
  const sum = f(f((q - zero) * scale) + f((b - other.zero) * other.scale));
  return Math.max(y.lo, Math.min(y.hi, rne(f(sum / y.scale)) + y.zero));
};

/** As an epilogue has them. */
export const fieldsOf = ({ scale, other, y }: Addition) => ({
  ...{ ownScale: scale, otherScale: other.scale, otherZero: other.zero },
  ...{ sumScale: y.scale, sumZero: y.zero, sumLo: y.lo, sumHi: y.hi },
});

/** Powers of two, which make ties, or any scales. */
export function someAddition(int: (lo: number, hi: number) => number, isTied: boolean): Addition {
  const scale = () => (isTied ? 2 ** -int(1, 4) : f(int(1, 1000) / 7919));
  const lo = int(0, 60);
  const y = { scale: scale(), zero: int(0, 255), lo, hi: int(lo, 255) };
  return { scale: scale(), other: { scale: scale(), zero: int(0, 255) }, y };
}

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
