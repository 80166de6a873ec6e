// Gradients of reductions over one dimension.

import { storeWords } from "../lanes/simd";

/** dx[o][r][i] = dy[o][i] / count: dy [outer][inner] → dx [outer][reduce][inner]. Range: outer. */
export function reduceGradient(
  dx: usize,
  dy: usize,
  reduce: i32,
  inner: i32,
  count: i32,
  begin: i32,
  end: i32,
): void {
  const divisor = f32x4.splat(<f32>count);
  const row = (<usize>inner) << 2;
  for (let o = begin; o < end; o++) {
    let to = dx + <usize>(o * reduce) * row;
    const from = dy + <usize>o * row;
    if (inner == 1) {
      const share = f32x4.div(v128.load32_splat(from), divisor);
      for (let r = 0; r < reduce; r += 4) storeWords(to + ((<usize>r) << 2), share, reduce - r);
      continue;
    }
    for (let r = 0; r < reduce; r++, to += row) {
      for (let i = 0; i < inner; i += 4) {
        const at = (<usize>i) << 2;
        storeWords(to + at, f32x4.div(v128.load(from + at), divisor), inner - i);
      }
    }
  }
}

/**
 * dx[o][r][i] = dy[o][i]·Π_s x[o][s][i], s other than r: dy [outer][inner], x and dx [outer][reduce][inner]. The product of those ahead of r,
 * times dy, times that of those behind it. Range: outer. dx is neither x nor dy.
 */
export function reduceProductGradient(
  dx: usize,
  dy: usize,
  x: usize,
  reduce: i32,
  inner: i32,
  begin: i32,
  end: i32,
): void {
  const row = (<usize>inner) << 2;
  for (let o = begin; o < end; o++) {
    const first = <usize>(o * reduce) * row;
    for (let i = 0; i < inner; i += 4) {
      let at = first + ((<usize>i) << 2);
      let product = v128.load(dy + <usize>o * row + ((<usize>i) << 2));
      for (let r = 0; r < reduce; r++, at += row) {
        storeWords(dx + at, product, inner - i);
        product = f32x4.mul(product, v128.load(x + at));
      }
      product = f32x4.splat(1);
      for (let r = 0; r < reduce; r++) {
        at -= row;
        storeWords(dx + at, f32x4.mul(v128.load(dx + at), product), inner - i);
        product = f32x4.mul(product, v128.load(x + at));
      }
    }
  }
}
