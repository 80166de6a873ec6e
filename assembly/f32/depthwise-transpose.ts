// Transposed f32 depthwise convolution, which is also the input gradient of one: for each phase of the strides
// (../lanes/phase) an ordinary depthwise convolution.

import { firstOf, lastOf, phaseOf, rowsBefore, stepOf } from "../lanes/phase";
import { Window } from "../lanes/window";
import { depthwise } from "./depthwise";
import { packedDepthwiseBytes } from "./sizes";

/**
 * dst = w[channels][kh][kw] for depthwiseTranspose with the same window: for every phase panels of 8 channels of the phase's
 * taps in reverse, zeros in the channels added. dst holds up(channels, 8)·kh·kw f32.
 */
export function packDepthwiseTranspose(dst: usize, w: usize, window: usize): void {
  const slide = changetype<Window>(window);
  const channels = slide.cin;
  const kh = slide.kh;
  const kw = slide.kw;
  const stepH = stepOf(slide.strideH, slide.dilationH);
  const stepW = stepOf(slide.strideW, slide.dilationW);
  for (let py = 0; py < slide.strideH; py++)
    for (let px = 0; px < slide.strideW; px++) {
      const top = firstOf(py, slide.padTop, kh, slide.strideH, slide.dilationH);
      const left = firstOf(px, slide.padLeft, kw, slide.strideW, slide.dilationW);
      const bottom = lastOf(top, kh, stepH);
      const right = lastOf(left, kw, stepW);
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
 * x[q][c] = min(max(Σ_{ky,kx} y[p][c]·w[c][ky][kx] + bias[c], lo), hi) where q = p·stride + (ky,kx)·dilation − pad: ky, then
 * kx descending.
 *
 * x and y are those of the window, which is a convolution's from x to y, both dense; w from packDepthwiseTranspose; bias 0:
 * none. Range: rows of x, n·inH of them. scratch: WINDOW_BYTES.
 */
export function depthwiseTranspose(
  x: usize,
  y: usize,
  w: usize,
  bias: usize,
  scratch: usize,
  window: usize,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  const slide = changetype<Window>(window);
  const phase = changetype<Window>(scratch);
  const inH = slide.inH;
  const strideH = slide.strideH;
  for (let py = 0; py < strideH; py++) {
    const first = rowsBefore(begin, inH, py, strideH);
    const last = rowsBefore(end, inH, py, strideH);
    for (let px = 0; px < slide.strideW; px++) {
      const at = (<usize>phaseOf(phase, slide, py, px)) << 2;
      depthwise(x + at, y, w, bias, scratch, lo, hi, first, last);
      w += packedDepthwiseBytes(slide.cin, phase.kh * phase.kw);
    }
  }
}
