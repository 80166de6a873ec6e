// What tests of linear layers over rows of codes share: the rows with their scales, a bias and the result, in the kernels' memory, and how
// a range is cut.

import { DEQUANTIZE } from "../../assembly/int8/sizes";
import { alloc, fillFloats, fillInts, int, place, random } from "./harness";
import { epilogue } from "./structs";

/** Rows of u8 and what is done with their sums; of every third `seed` one scale is that of all rows, of every second one there is a bias. */
export function linearRows(
  [rows, n, k]: readonly [rows: number, n: number, k: number],
  seed: number,
  isHighest: boolean,
) {
  const next = random(seed + 1);
  const ldx = k + int(next, 0, 5);
  const ldy = n + int(next, 0, 5);
  const x = fillInts(alloc(Uint8Array, rows * ldx), next, 0, 255);
  if (isHighest) x.fill(255);
  const stride = seed % 3 ? 1 : 0;
  const xScale = fillFloats(alloc(Float32Array, stride ? rows : 1), next, 0.001, 0.1);
  const xZero = fillInts(alloc(Int32Array, stride ? rows : 1), next, 0, 255);
  const bias = seed % 2 ? fillFloats(alloc(Float32Array, n), next, -2, 2) : undefined;
  const [lo, hi] = (seed % 4 ? [-Infinity, Infinity] : [0, 6]) as [number, number];
  const y = place(Float32Array, new Float32Array(rows * ldy).fill(7));
  const to = epilogue({ kind: DEQUANTIZE, lo, hi, rowStride: stride });
  return { next, ldx, ldy, x, stride, xScale, xZero, bias, lo, hi, y, want: y.slice(), to };
}

/** Does a range in two parts, the later first; returns where it was cut. */
export function inTwoParts(
  next: () => number,
  all: number,
  compute: (begin: number, end: number) => void,
): number {
  const cut = int(next, 0, all);
  compute(cut, all);
  compute(0, cut);
  return cut;
}
