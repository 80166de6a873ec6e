// f32 convolution, channels last: ../convolve, into dense rows.

import { convolve } from "./convolve";

/**
 * y[p][o] = min(max(Σ_{ky,kx,c} x[p·stride + (ky,kx)·dilation − pad][c]·w[ky][kx][c][o] + bias[o], lo), hi)
 *
 * x [n][inH][inW] pixels of cin channels, ldx elements apart; y [n][outH][outW] pixels of cout channels, ldy
 * apart; w from packWeights with taps = kh·kw. Pixels outside the image are zeros, and multiplied. Range:
 * output rows, n·outH of them. scratch: convScratchBytes(output rows of the range, outW, kh, kw·cin).
 */
export function conv(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  bias: usize,
  scratch: usize,
  inH: i32,
  inW: i32,
  cin: i32,
  outH: i32,
  outW: i32,
  cout: i32,
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
  const pixel = (<usize>ldy) << 2;
  const line = <usize>outW * pixel;
  convolve(
    y,
    pixel,
    line,
    <usize>outH * line,
    x,
    (<usize>ldx) << 2,
    w,
    bias,
    scratch,
    inH,
    inW,
    cin,
    outH,
    outW,
    cout,
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
