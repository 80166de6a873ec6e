// Input gradients of convolutions: for each phase of the strides (./phase) an ordinary convolution of dy.

import { convolve } from "../f32/convolve";
import { storeWords } from "../lanes/simd";
import { up } from "../lanes/whole";
import { maskBytes } from "./bits";
import { maskGradient } from "./mask-gradient";
import { countOf, firstOf, gcd, padOf, positions, rowsBefore } from "./phase";

/**
 * dst = w[cout][cin][kh][kw] for convInputGradient: for every phase panels of 8 input channels, of the phase's taps in
 * reverse, output channels innermost; zeros where the last panel has no channel. dst holds up(cin, 8)·kh·kw·cout f32.
 */
export function packInputGradientWeights(
  dst: usize,
  w: usize,
  cin: i32,
  cout: i32,
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
  const channel = (<usize>(kh * kw)) << 2;
  for (let py = 0; py < strideH; py++)
    for (let px = 0; px < strideW; px++) {
      const top = firstOf(py, padTop, kh, strideH, dilationH);
      const left = firstOf(px, padLeft, kw, strideW, dilationW);
      const bottom = top + (countOf(top, kh, stepH) - 1) * stepH;
      const right = left + (countOf(left, kw, stepW) - 1) * stepW;
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
 * dx[q][c] = Σ_{ky,kx,o} dy[p][o]·w[o][c][ky][kx] where q = p·stride + (ky,kx)·dilation − pad: ky, then kx descending,
 * then o ascending.
 *
 * dx [n][inH][inW] pixels of cin channels, lddx elements apart; dy [n][outH][outW] pixels of cout channels, lddy apart;
 * w from packInputGradientWeights with the same window. Range: rows of dx, n·inH of them. scratch:
 * convInputGradientScratchBytes.
 */
export function convInputGradient(
  dx: usize,
  lddx: i32,
  dy: usize,
  lddy: i32,
  w: usize,
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
  begin: i32,
  end: i32,
): void {
  const shrinkH = gcd(strideH, dilationH);
  const shrinkW = gcd(strideW, dilationW);
  const stepH = strideH / shrinkH;
  const stepW = strideW / shrinkW;
  const pixel = (<usize>lddx) << 2;
  const line = <usize>inW * pixel;
  const panels = (<usize>(up(cin, 8) * cout)) << 2;
  for (let py = 0; py < strideH; py++)
    for (let px = 0; px < strideW; px++) {
      const top = firstOf(py, padTop, kh, strideH, dilationH);
      const left = firstOf(px, padLeft, kw, strideW, dilationW);
      const tall = countOf(top, kh, stepH);
      const wide = countOf(left, kw, stepW);
      convolve(
        dx + <usize>py * line + <usize>px * pixel,
        <usize>strideW * pixel,
        <usize>strideH * line,
        <usize>inH * line,
        dy,
        (<usize>lddy) << 2,
        w,
        0,
        scratch,
        outH,
        outW,
        cout,
        positions(inH, py, strideH),
        positions(inW, px, strideW),
        cin,
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

/** Bytes of images whose gradients are found at once, unless one image takes more: a part of the second-level cache. */
const IMAGES: i32 = 64 << 10;

/** y += x, n elements. */
function accumulate(y: usize, x: usize, n: i32): void {
  for (; n > 0; n -= 4, x += 16, y += 16) storeWords(y, f32x4.add(v128.load(y), v128.load(x)), n);
}

/**
 * dx = convInputGradient of dy, a few images at a time, so that it may take the place of dy; `adds`: dx += it.
 *
 * dx and dy dense. dy counts where its mask has a bit; mask 0: everywhere. dx may be dy where images of both are as large and
 * nothing is added. Range: images. scratch: convInputGradientByImageScratchBytes.
 *
 *   scratch | dy of some images | dx of them, where that is added | scratch of convInputGradient |
 */
export function convInputGradientByImage(
  dx: usize,
  dy: usize,
  mask: usize,
  w: usize,
  scratch: usize,
  adds: i32,
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
  begin: i32,
  end: i32,
): void {
  const from = outH * outW * cout;
  const to = inH * inW * cin;
  const most = max(1, IMAGES / (max(1, max(from, to)) << 2));
  const found = scratch + ((<usize>(most * from)) << 2);
  const rest = found + (adds ? (<usize>(most * to)) << 2 : 0);
  for (let image = begin; image < end; image += most) {
    const count = min(most, end - image);
    let y = dy + ((<usize>(image * from)) << 2);
    const x = dx + ((<usize>(image * to)) << 2);
    if (mask) maskGradient(scratch, y, mask + <usize>image * maskBytes(from), from, 0, count);
    else if (x == y) memory.copy(scratch, y, (<usize>(count * from)) << 2);
    if (mask || x == y) y = scratch;
    convInputGradient(
      adds ? found : x,
      cin,
      y,
      cout,
      w,
      rest,
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
      0,
      count * inH,
    );
    if (adds) accumulate(x, found, count * to);
  }
}
