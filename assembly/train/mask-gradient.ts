// Gradients of what has a slope an element: of codes, by their mask, and of tables of codes.

import { storeWords8 } from "../lanes/lanes";
import { maskBytes } from "./bits";

/**
 * dx[i] = bit i of mask ? dy[i] : 0. Range: samples.
 *
 * dx and dy f32 [samples][count], mask bits. dx may be dy.
 */
export function maskGradient(dx: usize, dy: usize, mask: usize, count: i32, begin: i32, end: i32): void {
  // Shifted by 0, which V8 does not know: it would build constants anew in each step.
  const low = i32x4.shl(i32x4(1, 2, 4, 8), begin >> 31);
  const high = i32x4.shl(low, 4);
  const bytes = maskBytes(count);
  for (let sample = begin; sample < end; sample++) {
    const at = (<usize>(sample * count)) << 2;
    const from = mask + <usize>sample * bytes;
    for (let i = 0; i < count; i += 8) {
      const p = at + ((<usize>i) << 2);
      const bits = v128.load8_splat(from + <usize>(i >> 3));
      const v0 = v128.and(v128.load(dy + p), i32x4.eq(v128.and(bits, low), low));
      const v1 = v128.and(v128.load(dy + p, 16), i32x4.eq(v128.and(bits, high), high));
      if (count - i >= 8) {
        v128.store(dx + p, v0);
        v128.store(dx + p, v1, 16);
      } else storeWords8(dx + p, v0, v1, count - i);
    }
  }
}

/**
 * dx = dy · table[code], elements begin to end: the gradient of a function of codes that is a table.
 *
 * dx and dy f32, codes u8, table f32 [256], the function's slopes. dx may be dy.
 */
export function lookupGradient(dx: usize, dy: usize, codes: usize, table: usize, begin: i32, end: i32): void {
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const at = (<usize>i) << 2;
    let slope = v128.load32_zero(table + ((<usize>load<u8>(codes + i)) << 2));
    slope = v128.load32_lane(table + ((<usize>load<u8>(codes + i, 1)) << 2), slope, 1);
    slope = v128.load32_lane(table + ((<usize>load<u8>(codes + i, 2)) << 2), slope, 2);
    slope = v128.load32_lane(table + ((<usize>load<u8>(codes + i, 3)) << 2), slope, 3);
    v128.store(dx + at, f32x4.mul(v128.load(dy + at), slope));
  }
  for (; i < end; i++) {
    const at = (<usize>i) << 2;
    const slope = load<f32>(table + ((<usize>load<u8>(codes + i)) << 2));
    store<f32>(dx + at, load<f32>(dy + at) * slope);
  }
}
