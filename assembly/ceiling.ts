// The multiply-adds of the int8 and f32 kernels with all sums in registers, and reading alone: what a kernel of this class
// could reach at best. Only benchmarks carry it.

import { multiplyAdd16, multiplyAddLow8 } from "./int8/multiply-add";
import { BYTES, RELAXED } from "./int8/panels";

/**
 * `steps` rounds of int8 multiply-adds in the instructions of the class; returns the multiply-adds of one round. Reads
 * 144 bytes at `at`; the sums go to the 16 behind them.
 */
export function int8(at: usize, steps: i32): i32 {
  return rounds<i8>(at, steps);
}

/** Reads `bytes` at `at`, 64 a step, in order: the bandwidth of memory where they are more than a cache holds. */
export function stream(at: usize, bytes: i32): i32 {
  let a = i32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (const end = at + bytes; at < end; at += 64) {
    a = v128.or(a, v128.load(at));
    b = v128.or(b, v128.load(at, 16));
    c = v128.or(c, v128.load(at, 32));
    d = v128.or(d, v128.load(at, 48));
  }
  return i32x4.extract_lane(v128.or(v128.or(a, b), v128.or(c, d)), 0);
}

/** As `int8`, of f32: a multiplication and an addition, each rounded. */
function float(at: usize, steps: i32): i32 {
  return rounds<f32>(at, steps);
}

export { float as f32 };

/** c += w · x */
function mac<T>(c: v128, w: v128, x: v128): v128 {
  if (isFloat<T>()) return f32x4.add(c, f32x4.mul(w, x));
  return BYTES ? multiplyAddLow8(c, w, x) : multiplyAdd16(c, w, x);
}

/**
 * Rows of x times two columns of w. The columns stay in registers; a row is read for its two products, at an address of
 * its own that changes each round, or engines would compute the product once. A dot adds into its sum, a chain of
 * latency 4-5 that twelve sums hide: 12 + 2 w + 1 x are V8's 15 vector registers, one more is a sum in memory. The
 * others need a register for the product, and eight sums hide their additions.
 */
function rounds<T>(at: usize, steps: i32): i32 {
  const isDot = isInteger<T>() && RELAXED;
  const w0 = v128.load(at);
  const w1 = v128.load(at, 16);
  let c00 = w0;
  let c01 = w0;
  let c10 = w0;
  let c11 = w0;
  let c20 = w0;
  let c21 = w0;
  let c30 = w0;
  let c31 = w0;
  let c40 = w0;
  let c41 = w0;
  let c50 = w0;
  let c51 = w0;
  for (let i = 0, end = steps << 4; i < end; i += 16) {
    const p = at + (i & 16);
    let x = v128.load(p, 32);
    c00 = mac<T>(c00, w0, x);
    c01 = mac<T>(c01, w1, x);
    x = v128.load(p, 48);
    c10 = mac<T>(c10, w0, x);
    c11 = mac<T>(c11, w1, x);
    x = v128.load(p, 64);
    c20 = mac<T>(c20, w0, x);
    c21 = mac<T>(c21, w1, x);
    x = v128.load(p, 80);
    c30 = mac<T>(c30, w0, x);
    c31 = mac<T>(c31, w1, x);
    if (isDot) {
      x = v128.load(p, 96);
      c40 = mac<T>(c40, w0, x);
      c41 = mac<T>(c41, w1, x);
      x = v128.load(p, 112);
      c50 = mac<T>(c50, w0, x);
      c51 = mac<T>(c51, w1, x);
    }
  }
  const c0 = v128.xor(v128.xor(c00, c01), v128.xor(c10, c11));
  const c2 = v128.xor(v128.xor(c20, c21), v128.xor(c30, c31));
  const c4 = v128.xor(v128.xor(c40, c41), v128.xor(c50, c51));
  v128.store(at, v128.xor(v128.xor(c0, c2), c4), 144);
  return isDot ? 12 * 16 : 8 * (isFloat<T>() ? 4 : 8);
}
