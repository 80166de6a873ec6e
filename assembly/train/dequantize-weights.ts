// Numbers of weight codes, for gradients with respect to what they multiply.

import { storeWords8 } from "../lanes/lanes";

/** y[c][i] = codes[c][i] · scale[c], [channels][inner]; y f32, codes i8. Range: channels. */
export function dequantizeWeights(
  y: usize,
  codes: usize,
  scale: usize,
  inner: i32,
  begin: i32,
  end: i32,
): void {
  for (let c = begin; c < end; c++) {
    const s = v128.load32_splat(scale + ((<usize>c) << 2));
    const from = codes + <usize>(c * inner);
    const to = y + ((<usize>(c * inner)) << 2);
    for (let i = 0; i < inner; i += 8) {
      const q = v128.load8x8_s(from + i);
      const low = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(q)), s);
      const high = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(q)), s);
      storeWords8(to + ((<usize>i) << 2), low, high, inner - i);
    }
  }
}
