// The multiply-adds of the engine classes, which tiles, depthwise and the loop that measures them share.

import { RELAXED } from "./panels";

/** c += x · w, 16 bits each, pair by pair. */
export function multiplyAdd16(c: v128, x: v128, w: v128): v128 {
  return i32x4.add(c, i32x4.dot_i16x8_s(x, w));
}

/** c += w · x, bytes, group by group: those that columns 0-3 of a step have. */
export function multiplyAddLow8(c: v128, w: v128, x: v128): v128 {
  return RELAXED
    ? i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, c)
    : i32x4.add(c, i32x4.extadd_pairwise_i16x8_s(i16x8.extmul_low_i8x16_s(w, x)));
}

/** The same: those of columns 4-7. */
export function multiplyAddHigh8(c: v128, w: v128, x: v128): v128 {
  return RELAXED
    ? i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, c)
    : i32x4.add(c, i32x4.extadd_pairwise_i16x8_s(i16x8.extmul_high_i8x16_s(w, x)));
}
