// The int32 sums of a depthwise convolution of codes, which the deployed kernel rounds away: masks and scales of training
// ask for them. Exact, so they may be found in another way than there.

import { storeWords8 } from "../lanes/lanes";
import { firstTap, lastTap } from "../lanes/taps";
import { up } from "../lanes/whole";
import { Window } from "../lanes/window";

/** dst[taps][up(channels, 8)] i16 = w[channels][taps] i8, zeros in the channels added. */
function widen(dst: usize, w: usize, channels: i32, taps: i32): void {
  const stop = up(channels, 8);
  for (let tap = 0; tap < taps; tap++)
    for (let c = 0; c < stop; c++, dst += 2)
      store<i16>(dst, c < channels ? load<i8>(w + <usize>(c * taps + tap)) : 0);
}

/** Eight channels of one pixel: `rows` × `cols` taps, dy and dx bytes apart in x, wy and wx in w. */
function one(
  y: usize,
  x: usize,
  w: usize,
  bias: usize,
  zero: v128,
  count: i32,
  rows: i32,
  cols: i32,
  dy: usize,
  dx: usize,
  wy: usize,
  wx: usize,
): void {
  let low = bias ? v128.load(bias) : i32x4.splat(0);
  let high = bias ? v128.load(bias, 16) : i32x4.splat(0);
  for (; rows > 0; rows--, x += dy, w += wy) {
    let p = x;
    let q = w;
    for (let j = cols; j > 0; j--, p += dx, q += wx) {
      const v = i16x8.sub(v128.load8x8_u(p), zero);
      const weight = v128.load(q);
      low = i32x4.add(low, i32x4.extmul_low_i16x8_s(v, weight));
      high = i32x4.add(high, i32x4.extmul_high_i16x8_s(v, weight));
    }
  }
  storeWords8(y, low, high, count);
}

/**
 * y[p][c] = Σ_{ky,kx} (x[p·stride + (ky,kx)·dilation − pad][c] − outside)·w[c][ky][kx] + bias[c]
 *
 * y i32 and x u8 as the window says, whose cin channels both have, densely; w i8 [channels][kh][kw]; bias i32, 0: none. Range: rows of output, n·outH. scratch: depthwiseInt8SumsScratchBytes.
 */
export function depthwiseInt8Sums(
  y: usize,
  x: usize,
  w: usize,
  bias: usize,
  scratch: usize,
  window: usize,
  begin: i32,
  end: i32,
): void {
  const slide = changetype<Window>(window);
  const inH = slide.inH;
  const inW = slide.inW;
  const channels = slide.cin;
  const outH = slide.outH;
  const outW = slide.outW;
  const kh = slide.kh;
  const kw = slide.kw;
  const strideW = slide.strideW;
  const dilationH = slide.dilationH;
  const dilationW = slide.dilationW;
  const zero = i16x8.splat(<i16>slide.outside);
  const wx = (<usize>up(channels, 8)) << 1;
  const wy = wx * <usize>kw;
  const dx = <usize>(dilationW * channels);
  const dy = <usize>(dilationH * inW * channels);
  widen(scratch, w, channels, kh * kw);
  y += (<usize>(begin * outW * channels)) << 2;
  for (let r = begin; r < end; r++) {
    const image = r / outH;
    const iy = (r - image * outH) * slide.strideH - slide.padTop;
    const top = firstTap(iy, dilationH);
    const rows = lastTap(iy, dilationH, kh, inH) - top;
    const line = x + <usize>((image * inH + iy + top * dilationH) * inW * channels);
    for (let ox = 0; ox < outW; ox++, y += (<usize>channels) << 2) {
      const ix = ox * strideW - slide.padLeft;
      const left = firstTap(ix, dilationW);
      const cols = lastTap(ix, dilationW, kw, inW) - left;
      const from = line + <usize>((ix + left * dilationW) * channels);
      const weights = scratch + <usize>top * wy + <usize>left * wx;
      for (let c = 0; c < channels; c += 8) {
        const at = (<usize>c) << 2;
        const b = bias ? bias + at : 0;
        one(y + at, from + c, weights + ((<usize>c) << 1), b, zero, channels - c, rows, cols, dy, dx, wy, wx);
      }
    }
  }
}
