// Transposed f32 convolution, which is also the input gradient of one: for each phase of the strides (../lanes/phase) an
// ordinary convolution.

import { firstOf, lastOf, phaseOf, rowsBefore, stepOf } from "../lanes/phase";
import { WINDOW_BYTES, Window } from "../lanes/window";
import { conv } from "./conv";
import { packedBytes } from "./sizes";

/**
 * dst = w[cout][cin][kh][kw] for convTranspose with the same window: for every phase panels of 8 channels of x, of the phase's
 * taps in reverse, channels of y innermost; zeros where the last panel has no channel. dst holds up(cin, 8)·kh·kw·cout f32.
 */
export function packConvTranspose(dst: usize, w: usize, window: usize): void {
  const slide = changetype<Window>(window);
  const cin = slide.cin;
  const cout = slide.cout;
  const kh = slide.kh;
  const kw = slide.kw;
  const stepH = stepOf(slide.strideH, slide.dilationH);
  const stepW = stepOf(slide.strideW, slide.dilationW);
  const channel = (<usize>(kh * kw)) << 2;
  for (let py = 0; py < slide.strideH; py++)
    for (let px = 0; px < slide.strideW; px++) {
      const top = firstOf(py, slide.padTop, kh, slide.strideH, slide.dilationH);
      const left = firstOf(px, slide.padLeft, kw, slide.strideW, slide.dilationW);
      const bottom = lastOf(top, kh, stepH);
      const right = lastOf(left, kw, stepW);
      for (let c = 0; c < cin; c += 8)
        for (let ky = bottom; ky >= top; ky -= stepH)
          for (let kx = right; kx >= left; kx -= stepW) {
            let from = w + <usize>c * channel + ((<usize>(ky * kw + kx)) << 2);
            for (let o = 0; o < cout; o++, dst += 32, from += <usize>cin * channel)
              for (let i = 0; i < 8; i++)
                store<f32>(dst + ((<usize>i) << 2), c + i < cin ? load<f32>(from + <usize>i * channel) : 0);
          }
    }
}

/**
 * x[q][c] = min(max(Σ_{ky,kx,o} y[p][o]·w[o][c][ky][kx] + bias[c], lo), hi) where q = p·stride + (ky,kx)·dilation − pad:
 * ky, then kx descending, then o ascending.
 *
 * x and y are those of the window, which is a convolution's from x to y; w from packConvTranspose; bias 0: none. Range: rows of
 * x, n·inH of them. scratch: convTransposeScratchBytes.
 */
export function convTranspose(
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
  const rest = scratch + WINDOW_BYTES;
  const inH = slide.inH;
  const strideH = slide.strideH;
  for (let py = 0; py < strideH; py++) {
    const first = rowsBefore(begin, inH, py, strideH);
    const last = rowsBefore(end, inH, py, strideH);
    for (let px = 0; px < slide.strideW; px++) {
      const at = (<usize>phaseOf(phase, slide, py, px)) << 2;
      conv(x + at, y, w, bias, rest, scratch, lo, hi, first, last);
      w += packedBytes(slide.cin, phase.kh * phase.kw * slide.cout);
    }
  }
}
