// Dropout (Srivastava et al. 2014): what is kept is chosen by a hash of the element's place and a seed, so that a mask is the
// same however the work is cut.

import { storeBytes, storeWords } from "../lanes/simd";
import { Bits, maskBytes } from "./bits";

/** Murmur3's last mix (Appleby) of four numbers. */
function mix(h: v128): v128 {
  h = v128.xor(h, i32x4.shr_u(h, 16));
  h = i32x4.mul(h, i32x4.splat(0x85ebca6b));
  h = v128.xor(h, i32x4.shr_u(h, 13));
  h = i32x4.mul(h, i32x4.splat(0xc2b2ae35));
  return v128.xor(h, i32x4.shr_u(h, 16));
}

/** Whether the four elements from `i` on are kept: mix(i · 0x9e3779b1 + seed) ≥ threshold, unsigned. */
function kept4(i: i32, seed: v128, threshold: v128): v128 {
  const place = i32x4.add(i32x4.splat(i), i32x4(0, 1, 2, 3));
  return i32x4.ge_u(mix(i32x4.add(i32x4.mul(place, i32x4.splat(0x9e3779b1)), seed)), threshold);
}

/**
 * y = x · factor where it is kept, else 0. Range: samples.
 *
 * y and x f32 [samples][count], mask bits or 0. y may be x.
 */
export function dropout(
  y: usize,
  mask: usize,
  x: usize,
  count: i32,
  seed: i32,
  threshold: i32,
  factor: f32,
  begin: i32,
  end: i32,
): void {
  const seeds = i32x4.splat(seed);
  const least = i32x4.splat(threshold);
  const f = f32x4.splat(factor);
  for (let sample = begin; sample < end; sample++) {
    const first = sample * count;
    for (let i = 0; i < count; i += 16) {
      const k0 = kept4(first + i, seeds, least);
      const k1 = kept4(first + i + 4, seeds, least);
      const k2 = kept4(first + i + 8, seeds, least);
      const k3 = kept4(first + i + 12, seeds, least);
      if (mask)
        Bits.store(
          mask + <usize>sample * maskBytes(count) + <usize>(i >> 3),
          Bits.narrow(k0, k1, k2, k3),
          count - i,
        );
      scale4(y, x, first + i, k0, f, count - i);
      scale4(y, x, first + i + 4, k1, f, count - i - 4);
      scale4(y, x, first + i + 8, k2, f, count - i - 8);
      scale4(y, x, first + i + 12, k3, f, count - i - 12);
    }
  }
}

function scale4(y: usize, x: usize, at: i32, kept: v128, factor: v128, count: i32): void {
  const p = (<usize>at) << 2;
  storeWords(y + p, v128.and(f32x4.mul(v128.load(x + p), factor), kept), count);
}

/**
 * y = x where it is kept, else the zero point. Range: samples.
 *
 * y and x u8 [samples][count], mask bits or 0. y may be x.
 */
export function dropoutCodes(
  y: usize,
  mask: usize,
  x: usize,
  count: i32,
  seed: i32,
  threshold: i32,
  zero: i32,
  begin: i32,
  end: i32,
): void {
  const seeds = i32x4.splat(seed);
  const least = i32x4.splat(threshold);
  const zeros = i8x16.splat(<i8>zero);
  for (let sample = begin; sample < end; sample++) {
    const first = sample * count;
    for (let i = 0; i < count; i += 16) {
      const kept = Bits.narrow(
        kept4(first + i, seeds, least),
        kept4(first + i + 4, seeds, least),
        kept4(first + i + 8, seeds, least),
        kept4(first + i + 12, seeds, least),
      );
      if (mask) Bits.store(mask + <usize>sample * maskBytes(count) + <usize>(i >> 3), kept, count - i);
      const at = <usize>(first + i);
      storeBytes(y + at, v128.bitselect(v128.load(x + at), zeros, kept), count - i);
    }
  }
}
