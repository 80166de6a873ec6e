// The multiply-add of each int8 class on registers alone: what a GEMM of it could reach at best.

/**
 * `steps` rounds of independent multiply-adds on operands read from `at` (128 bytes). Returns how many products of
 * int8 one round adds up. x changes each round, or the products would be hoisted out of the loop.
 */
export function ceiling(at: usize, steps: i32): i32 {
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
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, w0));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x, w1));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(x, w2));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(x, w3));
      c4 = i32x4.add(c4, i32x4.dot_i16x8_s(x, w4));
      c5 = i32x4.add(c5, i32x4.dot_i16x8_s(x, w5));
    }
    x = i32x4.add(x, w5);
  }
  c0 = v128.xor(v128.xor(v128.xor(c0, c1), v128.xor(c2, c3)), v128.xor(c4, c5));
  c6 = v128.xor(v128.xor(v128.xor(c6, c7), v128.xor(c8, c9)), v128.xor(c10, c11));
  v128.store(at + 112, v128.xor(c0, c6));
  return ASC_FEATURE_RELAXED_SIMD ? 12 * 16 : 6 * 8;
}
