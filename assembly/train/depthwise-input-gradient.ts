// Input gradients of depthwise convolutions: for each phase of the strides (./phase) a depthwise convolution of dy.

import { convolveDepthwise } from "../f32/depthwise-pixels";
import { up } from "../lanes/whole";
import { countOf, firstOf, gcd, padOf, positions, rowsBefore } from "./phase";

/**
 * dst = w[channels][kh][kw] for depthwiseInputGradient: for every phase panels of 8 channels of the phase's taps in
 * reverse, zeros in the channels added. dst holds up(channels, 8)·kh·kw f32.
 */
export function packDepthwiseInputGradient(
  dst: usize,
  w: usize,
  channels: i32,
  kh: i32,
  kw: i32,
  strideH: i32,
  strideW: i32,
  dilationH: i32,
  dilationW: i32,
  padTop: i32,
  padLeft: i32,
): void {
  const stepH = strideH / gcd(strideH, dilationH);
  const stepW = strideW / gcd(strideW, dilationW);
  for (let py = 0; py < strideH; py++)
    for (let px = 0; px < strideW; px++) {
      const top = firstOf(py, padTop, kh, strideH, dilationH);
      const left = firstOf(px, padLeft, kw, strideW, dilationW);
      const bottom = top + (countOf(top, kh, stepH) - 1) * stepH;
      const right = left + (countOf(left, kw, stepW) - 1) * stepW;
      for (let group = 0; group < channels; group += 8)
        for (let ky = bottom; ky >= top; ky -= stepH)
          for (let kx = right; kx >= left; kx -= stepW)
            for (let c = group; c < group + 8; c++, dst += 4) {
              const from = w + ((<usize>((c * kh + ky) * kw + kx)) << 2);
              store<f32>(dst, c < channels ? load<f32>(from) : 0);
            }
    }
}

/**
 * dx[q][c] = Σ_{ky,kx} dy[p][c]·w[c][ky][kx] where q = p·stride + (ky,kx)·dilation − pad: ky, then kx descending.
 *
 * dx [n][inH][inW][channels], dy [n][outH][outW][channels], both dense; w from packDepthwiseInputGradient with the same
 * window. Range: rows of dx, n·inH of them.
 */
export function depthwiseInputGradient(
  dx: usize,
  dy: usize,
  w: usize,
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
  begin: i32,
  end: i32,
): void {
  const shrinkH = gcd(strideH, dilationH);
  const shrinkW = gcd(strideW, dilationW);
  const stepH = strideH / shrinkH;
  const stepW = strideW / shrinkW;
  const pixel = (<usize>channels) << 2;
  const line = <usize>inW * pixel;
  const panels = (<usize>up(channels, 8)) << 2;
  for (let py = 0; py < strideH; py++)
    for (let px = 0; px < strideW; px++) {
      const top = firstOf(py, padTop, kh, strideH, dilationH);
      const left = firstOf(px, padLeft, kw, strideW, dilationW);
      const tall = countOf(top, kh, stepH);
      const wide = countOf(left, kw, stepW);
      convolveDepthwise(
        dx + <usize>py * line + <usize>px * pixel,
        <usize>strideW * pixel,
        <usize>strideH * line,
        <usize>inH * line,
        dy,
        w,
        0,
        outH,
        outW,
        channels,
        positions(inH, py, strideH),
        positions(inW, px, strideW),
        tall,
        wide,
        1,
        1,
        dilationH / shrinkH,
        dilationW / shrinkW,
        padOf(py, padTop, top + (tall - 1) * stepH, strideH, dilationH),
        padOf(px, padLeft, left + (wide - 1) * stepW, strideW, dilationW),
        f32.NEGATIVE_INFINITY,
        f32.POSITIVE_INFINITY,
        rowsBefore(begin, inH, py, strideH),
        rowsBefore(end, inH, py, strideH),
      );
      w += <usize>(tall * wide) * panels;
    }
}
