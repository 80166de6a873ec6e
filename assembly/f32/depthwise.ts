// f32 depthwise convolution, channels last: ../depthwise, into dense rows.

import { convolveDepthwise } from "./depthwise-pixels";

/** dst[up(channels, 8) / 8][taps][8] = w[channels][taps], zeros in the channels added. */
export function packDepthwise(dst: usize, w: usize, channels: i32, taps: i32): void {
  for (let group = 0; group < channels; group += 8) {
    for (let tap = 0; tap < taps; tap++) {
      for (let c = group; c < group + 8; c++, dst += 4) {
        store<f32>(dst, c < channels ? load<f32>(w + ((<usize>(c * taps + tap)) << 2)) : 0);
      }
    }
  }
}

/**
 * y[p][c] = min(max(Σ_{ky,kx} x[p·stride + (ky,kx)·dilation − pad][c]·w[ky][kx][c] + bias[c], lo), hi)
 *
 * x [n][inH][inW][channels], y [n][outH][outW][channels], both dense; w from packDepthwise; bias 0: none.
 * Taps outside the image are skipped. Range: output rows, n·outH of them.
 */
export function depthwise(
  y: usize,
  x: usize,
  w: usize,
  bias: usize,
  inH: i32,
  inW: i32,
  channels: i32,
  outH: i32,
  outW: i32,
  kh: i32,
  kw: i32,
  strideH: i32,
  strideW: i32,
  dilationH: i32,
  dilationW: i32,
  padTop: i32,
  padLeft: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  const pixel = (<usize>channels) << 2;
  const line = <usize>outW * pixel;
  convolveDepthwise(
    y,
    pixel,
    line,
    <usize>outH * line,
    x,
    w,
    bias,
    inH,
    inW,
    channels,
    outH,
    outW,
    kh,
    kw,
    strideH,
    strideW,
    dilationH,
    dilationW,
    padTop,
    padLeft,
    lo,
    hi,
    begin,
    end,
  );
}
