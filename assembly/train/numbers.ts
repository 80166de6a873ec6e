// What a gradient kernel reads its operand from: f32, or u8 codes that it expands while it packs them.

/** Four numbers at `at`: f32, or codes as (q − zero)·scale. */
export function load4<T>(at: usize, zero: v128, scale: v128): v128 {
  if (!isInteger<T>()) return v128.load(at);
  const q = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)));
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(q, zero)), scale);
}

/** to[r][c] = `width` columns of `rows` rows of `from`, ld elements apart; width 4 or 8. Reads up to 28 bytes past a row. */
export function packColumns<T>(
  to: usize,
  from: usize,
  ld: i32,
  rows: i32,
  width: i32,
  zero: v128,
  scale: v128,
): void {
  const line = <usize>ld * sizeof<T>();
  if (width == 4) {
    for (; rows > 0; rows--, to += 16, from += line) v128.store(to, load4<T>(from, zero, scale));
  } else {
    for (; rows > 0; rows--, to += 32, from += line) {
      v128.store(to, load4<T>(from, zero, scale));
      v128.store(to, load4<T>(from + 4 * sizeof<T>(), zero, scale), 16);
    }
  }
}
