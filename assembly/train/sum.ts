// Sums of a gradient over what its operand was repeated along.

import { head4, sum4 } from "../lanes/lanes";
import { storeWords } from "../lanes/simd";

/**
 * y[r·cols + c] = Σ_i Σ_j x[r·rowStep + c·colStep + i·outerStep + j·innerStep], i < outer, j < inner; f32, steps in elements.
 * Range: elements of y.
 *
 * One of colStep and innerStep is 1. Where it is colStep, i and then j ascend; where it is innerStep, lane j mod 4 sums every
 * fourth element, i ascending, then (l0 + l2) + (l1 + l3).
 */
export function sumTo(
  y: usize,
  x: usize,
  cols: i32,
  rowStep: i32,
  colStep: i32,
  outer: i32,
  inner: i32,
  outerStep: i32,
  innerStep: i32,
  begin: i32,
  end: i32,
): void {
  const outerBytes = (<usize>outerStep) << 2;
  const innerBytes = (<usize>innerStep) << 2;
  for (let at = begin; at < end; ) {
    const row = at / cols;
    const col = at - row * cols;
    const from = x + ((<usize>(row * rowStep + col * colStep)) << 2);
    const to = y + ((<usize>at) << 2);
    if (colStep != 1) {
      store<f32>(to, sumLanes(from, outer, inner, outerBytes));
      at++;
      continue;
    }
    const count = min(cols - col, end - at);
    if (count >= 16) {
      sumColumns16(to, from, outer, inner, outerBytes, innerBytes);
      at += 16;
    } else {
      storeWords(to, sumColumns4(from, outer, inner, outerBytes, innerBytes), count);
      at += min(4, count);
    }
  }
}

/** All of `outer` runs of `inner` neighbours. */
function sumLanes(x: usize, outer: i32, inner: i32, step: usize): f32 {
  const zero = f32x4.splat(0);
  let sum = zero;
  for (let i = 0; i < outer; i++, x += step) {
    for (let j = 0; j < inner; j += 4) {
      sum = f32x4.add(sum, head4(v128.load(x + ((<usize>j) << 2)), zero, inner - j));
    }
  }
  return sum4(sum);
}

function sumColumns4(x: usize, outer: i32, inner: i32, outerStep: usize, innerStep: usize): v128 {
  let sum = f32x4.splat(0);
  for (let i = 0; i < outer; i++, x += outerStep) {
    let p = x;
    for (let j = 0; j < inner; j++, p += innerStep) sum = f32x4.add(sum, v128.load(p));
  }
  return sum;
}

/** A cache line of columns at once. */
function sumColumns16(y: usize, x: usize, outer: i32, inner: i32, outerStep: usize, innerStep: usize): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let i = 0; i < outer; i++, x += outerStep) {
    let p = x;
    for (let j = 0; j < inner; j++, p += innerStep) {
      s0 = f32x4.add(s0, v128.load(p));
      s1 = f32x4.add(s1, v128.load(p, 16));
      s2 = f32x4.add(s2, v128.load(p, 32));
      s3 = f32x4.add(s3, v128.load(p, 48));
    }
  }
  v128.store(y, s0);
  v128.store(y, s1, 16);
  v128.store(y, s2, 32);
  v128.store(y, s3, 48);
}
