// The multiply-adds of the int8 and f32 kernels with all sums in registers: what a kernel of this class could reach at
// best. Only benchmarks carry it.

/** c += x · w, in the instructions of a class without the relaxed dot product. */
function mac(c: v128, x: v128, w: v128): v128 {
  if (isDefined(EXTMUL_CLASS))
    return i32x4.add(c, i32x4.extadd_pairwise_i16x8_s(i16x8.extmul_low_i8x16_s(x, w)));
  return i32x4.add(c, i32x4.dot_i16x8_s(x, w));
}

/**
 * `steps` rounds of independent int8 multiply-adds, in the instructions of the class, on 112 bytes at `at`; the sums go
 * to the 16 behind them. Returns the multiply-adds of one round. x changes each round, or the products would be hoisted.
 */
export function int8(at: usize, steps: i32): i32 {
  let x = v128.load(at);
  const w0 = v128.load(at, 16),
    w1 = v128.load(at, 32),
    w2 = v128.load(at, 48);
  const w3 = v128.load(at, 64),
    w4 = v128.load(at, 80),
    w5 = v128.load(at, 96);
  let c0 = x,
    c1 = x,
    c2 = x,
    c3 = x,
    c4 = x,
    c5 = x,
    c6 = x,
    c7 = x,
    c8 = x,
    c9 = x,
    c10 = x,
    c11 = x;
  for (let i = 0; i < steps; i++) {
    if (ASC_FEATURE_RELAXED_SIMD) {
      c0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w0, x, c0);
      c1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w1, x, c1);
      c2 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w0, x, c2);
      c3 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w1, x, c3);
      c4 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w0, x, c4);
      c5 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w1, x, c5);
      c6 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w0, x, c6);
      c7 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w1, x, c7);
      c8 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w0, x, c8);
      c9 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w1, x, c9);
      c10 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w0, x, c10);
      c11 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w1, x, c11);
    } else {
      c0 = mac(c0, x, w0);
      c1 = mac(c1, x, w1);
      c2 = mac(c2, x, w2);
      c3 = mac(c3, x, w3);
      c4 = mac(c4, x, w4);
      c5 = mac(c5, x, w5);
    }
    x = i32x4.add(x, w5);
  }
  c0 = v128.xor(v128.xor(v128.xor(c0, c1), v128.xor(c2, c3)), v128.xor(c4, c5));
  c6 = v128.xor(v128.xor(v128.xor(c6, c7), v128.xor(c8, c9)), v128.xor(c10, c11));
  v128.store(at, v128.xor(c0, c6), 112);
  return ASC_FEATURE_RELAXED_SIMD ? 12 * 16 : 6 * 8;
}

/**
 * As `int8`, of f32: a multiplication and an addition, each rounded. x is read again for every three products; of the
 * ways to change it this one kept all sums in registers on every V8 tried.
 */
export function f32(at: usize, steps: i32): i32 {
  let x = v128.load(at);
  const w0 = v128.load(at, 16),
    w1 = v128.load(at, 32),
    w2 = v128.load(at, 48);
  let c0 = x,
    c1 = x,
    c2 = x,
    c3 = x,
    c4 = x,
    c5 = x,
    c6 = x,
    c7 = x,
    c8 = x;
  for (let i = 0; i < steps; i++) {
    c0 = f32x4.add(c0, f32x4.mul(x, w0));
    c1 = f32x4.add(c1, f32x4.mul(x, w1));
    c2 = f32x4.add(c2, f32x4.mul(x, w2));
    x = v128.load(at);
    c3 = f32x4.add(c3, f32x4.mul(x, w0));
    c4 = f32x4.add(c4, f32x4.mul(x, w1));
    c5 = f32x4.add(c5, f32x4.mul(x, w2));
    x = v128.load(at);
    c6 = f32x4.add(c6, f32x4.mul(x, w0));
    c7 = f32x4.add(c7, f32x4.mul(x, w1));
    c8 = f32x4.add(c8, f32x4.mul(x, w2));
    x = v128.load(at);
  }
  c0 = v128.xor(v128.xor(c0, c1), v128.xor(c2, c3));
  c4 = v128.xor(v128.xor(c4, c5), v128.xor(c6, c7));
  v128.store(at, v128.xor(v128.xor(c0, c4), c8), 112);
  return 9 * 4;
}
