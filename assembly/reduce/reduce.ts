// Reductions over one dimension: x [outer][n][inner] → y [outer][inner]. Range: outer. fold.ts says in which order. y is not x.

import { ABSOLUTE, ITSELF, LARGEST, Lanes, LEAST, PRODUCT, SQUARE, SUM } from "./fold";

/** y[o][i] = Σ_r x[o][r][i]. */
export function reduceSum(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Lanes.all<f32>(SUM, ITSELF, y, x, n, inner, begin, end);
}

/** y[o][i] = Σ_r |x[o][r][i]|. */
export function reduceAbsoluteSum(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Lanes.all<f32>(SUM, ABSOLUTE, y, x, n, inner, begin, end);
}

/** y[o][i] = Σ_r x[o][r][i]². */
export function reduceSquareSum(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Lanes.all<f32>(SUM, SQUARE, y, x, n, inner, begin, end);
}

/** y[o][i] = Π_r x[o][r][i]. */
export function reduceProduct(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Lanes.all<f32>(PRODUCT, ITSELF, y, x, n, inner, begin, end);
}

/** y[o][i] = max_r x[o][r][i]. */
export function reduceLargest(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Lanes.all<f32>(LARGEST, ITSELF, y, x, n, inner, begin, end);
}

/** y[o][i] = min_r x[o][r][i]. */
export function reduceLeast(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Lanes.all<f32>(LEAST, ITSELF, y, x, n, inner, begin, end);
}

/** y[o][i] = Σ_r x[o][r][i] of i32. */
export function reduceSumInt(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Lanes.all<i32>(SUM, ITSELF, y, x, n, inner, begin, end);
}

/** y[o][i] = Σ_r |x[o][r][i]| of i32. */
export function reduceAbsoluteSumInt(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Lanes.all<i32>(SUM, ABSOLUTE, y, x, n, inner, begin, end);
}

/** y[o][i] = Σ_r x[o][r][i]² of i32. */
export function reduceSquareSumInt(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Lanes.all<i32>(SUM, SQUARE, y, x, n, inner, begin, end);
}

/** y[o][i] = Π_r x[o][r][i] of i32. */
export function reduceProductInt(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Lanes.all<i32>(PRODUCT, ITSELF, y, x, n, inner, begin, end);
}

/** y[o][i] = max_r x[o][r][i] of i32. */
export function reduceLargestInt(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Lanes.all<i32>(LARGEST, ITSELF, y, x, n, inner, begin, end);
}

/** y[o][i] = min_r x[o][r][i] of i32. */
export function reduceLeastInt(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Lanes.all<i32>(LEAST, ITSELF, y, x, n, inner, begin, end);
}

/** y[o][i] = max_r x[o][r][i] of u8. */
export function reduceLargestByte(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Lanes.all<u8>(LARGEST, ITSELF, y, x, n, inner, begin, end);
}

/** y[o][i] = min_r x[o][r][i] of u8. */
export function reduceLeastByte(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Lanes.all<u8>(LEAST, ITSELF, y, x, n, inner, begin, end);
}
