// Numbers of weight codes, for gradients with respect to what they multiply.

import { storeWords8 } from "../lanes/lanes";

/**
 * y[o][c][i] = codes[o][c][i]·scale[c], [outer][channels][inner]; y f32, codes i8. Range: rows of `inner` numbers,
 * outer·channels of them. Where inner is 1, channels lie side by side and share a vector.
 */
export function dequantizeWeights(
  y: usize,
  codes: usize,
  scale: usize,
  channels: i32,
  inner: i32,
  begin: i32,
  end: i32,
): void {
  const beside = inner == 1;
  codes += <usize>(begin * inner);
  y += (<usize>(begin * inner)) << 2;
  for (let r = begin; r < end; ) {
    const c = r % channels;
    const own = scale + ((<usize>c) << 2);
    const count = beside ? min(end - r, channels - c) : inner;
    for (let i = 0; i < count; i += 8) {
      const at = (<usize>i) << 2;
      const s0 = beside ? v128.load(own + at) : v128.load32_splat(own);
      const s1 = beside ? v128.load(own + at, 16) : s0;
      const q = v128.load8x8_s(codes + i);
      const low = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(q)), s0);
      const high = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(q)), s1);
      storeWords8(y + at, low, high, count - i);
    }
    codes += count;
    y += (<usize>count) << 2;
    r += beside ? count : 1;
  }
}
