// Sums to codes as the deployed kernels make them, with the mask that their gradient needs.

import { codeMagic, codeShift, roundCode } from "../int8/epilogue";
import { storeBytes } from "../lanes/simd";
import { Bits, maskBytes } from "./bits";
import { Channels } from "./channels";

class Sums {
  /** rne(x · m) + zero, and one step outside 0..255 whatever lies further out; low and high are those steps. */
  @inline
  static code4(x: v128, m: v128, low: v128, high: v128, magic: v128, shift: v128): v128 {
    return roundCode(f32x4.pmin(f32x4.mul(x, m), high), low, magic, shift);
  }
}

/**
 * y = clamp(q, qlo, qhi), q = rne(f32(sums) · m[c]) + yZero; mask = (lo < f32(sums) · s[c] < hi) and (0 ≤ q ≤ 255).
 * Range: samples.
 *
 * y u8, mask bits and sums i32 [samples][pixels][channels], m and s f32 [channels]; mask 0: none is wanted. lo and hi
 * are where the activation's slope turns 0, −∞ and ∞ where it does not. y is what the fused kernels write.
 */
export function requantizeMasked(
  y: usize,
  mask: usize,
  sums: usize,
  m: usize,
  s: usize,
  pixels: i32,
  channels: i32,
  yZero: i32,
  qlo: i32,
  qhi: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  const count = pixels * channels;
  const bytes = maskBytes(count);
  const low = f32x4.convert_i32x4_s(i32x4.splat(-1 - yZero));
  const high = f32x4.convert_i32x4_s(i32x4.splat(256 - yZero));
  // Shifted by 0, which V8 does not know: it would build constants anew in each step.
  const magic = i32x4.shl(codeMagic(), begin >> 31);
  const shift = codeShift(yZero);
  const least = i8x16.splat(<i8>qlo);
  const most = i8x16.splat(<i8>qhi);
  const above = f32x4.splat(lo);
  const below = f32x4.splat(hi);
  // No scale changes the sign of a sum.
  const isRelu = lo == 0 && hi == f32.POSITIVE_INFINITY;
  for (let sample = begin; sample < end; sample++) {
    const codes = y + <usize>(sample * count);
    const from = sums + ((<usize>(sample * count)) << 2);
    const to = mask + <usize>sample * bytes;
    let c = 0;
    for (let i = 0; i < count; i += 16) {
      const c1 = Channels.after4(c, channels);
      const c2 = Channels.after4(c1, channels);
      const c3 = Channels.after4(c2, channels);
      const at = from + ((<usize>i) << 2);
      const x0 = f32x4.convert_i32x4_s(v128.load(at));
      const x1 = f32x4.convert_i32x4_s(v128.load(at, 16));
      const x2 = f32x4.convert_i32x4_s(v128.load(at, 32));
      const x3 = f32x4.convert_i32x4_s(v128.load(at, 48));
      const q0 = i16x8.narrow_i32x4_s(
        Sums.code4(x0, Channels.load4(m, c, channels), low, high, magic, shift),
        Sums.code4(x1, Channels.load4(m, c1, channels), low, high, magic, shift),
      );
      const q1 = i16x8.narrow_i32x4_s(
        Sums.code4(x2, Channels.load4(m, c2, channels), low, high, magic, shift),
        Sums.code4(x3, Channels.load4(m, c3, channels), low, high, magic, shift),
      );
      const q = i8x16.narrow_i16x8_u(q0, q1);
      storeBytes(codes + i, i8x16.min_u(i8x16.max_u(q, least), most), count - i);
      if (mask) {
        // 0 where a code is in 0..255, −1 or 1 elsewhere.
        const outside = i8x16.narrow_i16x8_s(i16x8.shr_s(q0, 8), i16x8.shr_s(q1, 8));
        const pass = isRelu
          ? i8x16.gt_s(
              Bits.narrow(v128.load(at), v128.load(at, 16), v128.load(at, 32), v128.load(at, 48)),
              i8x16.splat(0),
            )
          : Bits.narrow(
              Bits.within4(f32x4.mul(x0, Channels.load4(s, c, channels)), above, below),
              Bits.within4(f32x4.mul(x1, Channels.load4(s, c1, channels)), above, below),
              Bits.within4(f32x4.mul(x2, Channels.load4(s, c2, channels)), above, below),
              Bits.within4(f32x4.mul(x3, Channels.load4(s, c3, channels)), above, below),
            );
        const inside = i8x16.eq(outside, i8x16.splat(0));
        Bits.store(to + <usize>(i >> 3), v128.and(pass, inside), count - i);
      }
      c = Channels.after4(c3, channels);
    }
  }
}
