// Gradients of functions of one variable, f32, elements begin to end: dx = dy · f′. `x` is what the function took, `y` what
// it made, whichever costs less. dx may be dy.

import { erf } from "../lanes/erf";
import { exp, onePlusExpNeg } from "../lanes/exp";
import { storeWords } from "../lanes/simd";

const ONE_OVER_ROOT_2PI: f32 = 0.3989422804014327;
const TWO_OVER_ROOT_PI: f32 = 1.1283791670955126;
const ROOT_HALF: f32 = 0.7071067811865476;

/** Address of element i. */
function at(x: usize, i: i32): usize {
  return x + ((<usize>i) << 2);
}

/** dx = dy where lo < y < hi, else 0: what Relu, Clip and clamps that were fused let pass. */
export function clipGradient(dx: usize, dy: usize, y: usize, lo: f32, hi: f32, begin: i32, end: i32): void {
  const low = f32x4.splat(lo);
  const high = f32x4.splat(hi);
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(at(y, i));
    const passes = v128.and(f32x4.gt(v, low), f32x4.lt(v, high));
    storeWords(at(dx, i), v128.and(v128.load(at(dy, i)), passes), end - i);
  }
}

/** dx = dy·sign x, 0 at 0. */
export function absGradient(dx: usize, dy: usize, x: usize, begin: i32, end: i32): void {
  const zero = f32x4.splat(0);
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(at(x, i));
    const d = v128.load(at(dy, i));
    const up = v128.and(d, f32x4.gt(v, zero));
    storeWords(at(dx, i), f32x4.sub(up, v128.and(d, f32x4.lt(v, zero))), end - i);
  }
}

/** 1 where x is y, else 0. */
export function tiesGradient(to: usize, y: usize, x: usize, begin: i32, end: i32): void {
  const one = f32x4.splat(1);
  for (let i = begin; i < end; i += 4) {
    const isSame = f32x4.eq(v128.load(at(x, i)), v128.load(at(y, i)));
    storeWords(at(to, i), v128.and(isSame, one), end - i);
  }
}

/** dx = alpha·dy where x < 0, else dy; y does for x where alpha > 0. */
export function leakyReluGradient(dx: usize, dy: usize, x: usize, alpha: f32, begin: i32, end: i32): void {
  const slope = f32x4.splat(alpha);
  for (let i = begin; i < end; i += 4) {
    const d = v128.load(at(dy, i));
    const low = f32x4.lt(v128.load(at(x, i)), f32x4.splat(0));
    storeWords(at(dx, i), v128.bitselect(f32x4.mul(d, slope), d, low), end - i);
  }
}

/** dx = dy where x > 0, else dy·alpha·e^x. */
export function eluGradient(dx: usize, dy: usize, x: usize, alpha: f32, begin: i32, end: i32): void {
  const scale = f32x4.splat(alpha);
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(at(x, i));
    const d = v128.load(at(dy, i));
    const low = f32x4.mul(d, f32x4.mul(scale, exp(v)));
    storeWords(at(dx, i), v128.bitselect(d, low, f32x4.gt(v, f32x4.splat(0))), end - i);
  }
}

/** dx = dy·y·(1 − y). */
export function sigmoidGradient(dx: usize, dy: usize, y: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(at(y, i));
    const slope = f32x4.mul(v, f32x4.sub(f32x4.splat(1), v));
    storeWords(at(dx, i), f32x4.mul(v128.load(at(dy, i)), slope), end - i);
  }
}

/** dx = dy·(1 − y²). */
export function tanhGradient(dx: usize, dy: usize, y: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(at(y, i));
    const slope = f32x4.sub(f32x4.splat(1), f32x4.mul(v, v));
    storeWords(at(dx, i), f32x4.mul(v128.load(at(dy, i)), slope), end - i);
  }
}

/** dx = dy·alpha where 0 < y < 1, else 0. */
export function hardSigmoidGradient(dx: usize, dy: usize, y: usize, alpha: f32, begin: i32, end: i32): void {
  const slope = f32x4.splat(alpha);
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(at(y, i));
    const inside = v128.and(f32x4.gt(v, f32x4.splat(0)), f32x4.lt(v, f32x4.splat(1)));
    storeWords(at(dx, i), v128.and(f32x4.mul(v128.load(at(dy, i)), slope), inside), end - i);
  }
}

/** dx = dy·(x/3 + 1/2) where −3 < x < 3, dy above, 0 below. */
export function hardSwishGradient(dx: usize, dy: usize, x: usize, begin: i32, end: i32): void {
  const three = f32x4.splat(3);
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(at(x, i));
    const d = v128.load(at(dy, i));
    const slope = f32x4.add(f32x4.mul(v, f32x4.splat(1.0 / 3.0)), f32x4.splat(0.5));
    const middle = v128.bitselect(f32x4.mul(d, slope), d, f32x4.lt(v, three));
    storeWords(at(dx, i), v128.and(middle, f32x4.gt(v, f32x4.neg(three))), end - i);
  }
}

/** dx = dy·s·(1 + x·(1 − s)), s = σ(x). */
export function siluGradient(dx: usize, dy: usize, x: usize, begin: i32, end: i32): void {
  const one = f32x4.splat(1);
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(at(x, i));
    const s = f32x4.div(one, onePlusExpNeg(v));
    const slope = f32x4.mul(s, f32x4.add(one, f32x4.mul(v, f32x4.sub(one, s))));
    storeWords(at(dx, i), f32x4.mul(v128.load(at(dy, i)), slope), end - i);
  }
}

/** dx = dy·(Φ(x) + x·φ(x)), Φ the normal distribution and φ its density. */
export function geluGradient(dx: usize, dy: usize, x: usize, begin: i32, end: i32): void {
  const half = f32x4.splat(0.5);
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(at(x, i));
    const below = f32x4.add(half, f32x4.mul(half, erf(f32x4.mul(v, f32x4.splat(ROOT_HALF)))));
    const density = f32x4.mul(
      f32x4.splat(ONE_OVER_ROOT_2PI),
      exp(f32x4.neg(f32x4.mul(half, f32x4.mul(v, v)))),
    );
    const slope = f32x4.add(below, f32x4.mul(v, density));
    storeWords(at(dx, i), f32x4.mul(v128.load(at(dy, i)), slope), end - i);
  }
}

/** dx = dy·s·(1 + x·(1 − s)·u′), s = σ(u), u = 2·√(2/π)·(x + 0.044715·x³). */
export function geluTanhGradient(dx: usize, dy: usize, x: usize, begin: i32, end: i32): void {
  const one = f32x4.splat(1);
  const scale = f32x4.splat(1.5957691216057308);
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(at(x, i));
    const cubic = f32x4.mul(f32x4.mul(v, v), f32x4.splat(0.044715));
    const u = f32x4.mul(f32x4.mul(v, f32x4.add(one, cubic)), scale);
    const du = f32x4.mul(scale, f32x4.add(one, f32x4.mul(cubic, f32x4.splat(3))));
    const s = f32x4.div(one, onePlusExpNeg(u));
    const slope = f32x4.mul(s, f32x4.add(one, f32x4.mul(f32x4.mul(v, du), f32x4.sub(one, s))));
    storeWords(at(dx, i), f32x4.mul(v128.load(at(dy, i)), slope), end - i);
  }
}

/** dx = dy·2/√π·e^(−x²). */
export function erfGradient(dx: usize, dy: usize, x: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(at(x, i));
    const slope = f32x4.mul(f32x4.splat(TWO_OVER_ROOT_PI), exp(f32x4.neg(f32x4.mul(v, v))));
    storeWords(at(dx, i), f32x4.mul(v128.load(at(dy, i)), slope), end - i);
  }
}
