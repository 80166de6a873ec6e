// Transposed windows, one phase of the strides at a time: input gradients of convolutions, and ConvTranspose. Kernels and their
// host find them, in arithmetic that asc and tsc compile to the same: all numbers are i32.
//
// Positions of x that are equal modulo the stride meet the same taps, so what is sent back to them is an ordinary
// convolution of y, of stride 1, with those taps in reverse. Along one axis, where position phase + stride·t meets pixel o by
// tap i:
//
//   phase + stride·t + pad = stride·o + dilation·i
//
// Taps of a phase are `first`, first + step, … `last`, step = stride / gcd(stride, dilation), and each next one meets
// dilation / gcd(stride, dilation) pixels further up.

import { Window } from "./window";

/** a / b without its fraction, which i32 has none of. */
function divided(a: i32, b: i32): i32 {
  return (a / b) | 0;
}

/** Positions of a phase among the first `size`. */
function positions(size: i32, phase: i32, stride: i32): i32 {
  return divided(size - phase + stride - 1, stride);
}

/** Rows of a phase among the first `row` of images that have `size` each. */
export function rowsBefore(row: i32, size: i32, phase: i32, stride: i32): i32 {
  const image = divided(row, size);
  return image * positions(size, phase, stride) + positions(row - image * size, phase, stride);
}

/** The greatest common divisor. */
function gcd(a: i32, b: i32): i32 {
  while (b != 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/** From one tap of a phase to the next. */
export function stepOf(stride: i32, dilation: i32): i32 {
  return divided(stride, gcd(stride, dilation));
}

/** The first tap of the phase; `taps` where it has none. */
export function firstOf(phase: i32, pad: i32, taps: i32, stride: i32, dilation: i32): i32 {
  const most = stride < taps ? stride : taps;
  for (let tap = 0; tap < most; tap++) if ((phase + pad - tap * dilation) % stride == 0) return tap;
  return taps;
}

/** The last tap of the phase; before the first where it has none. */
export function lastOf(first: i32, taps: i32, step: i32): i32 {
  return first + (countOf(first, taps, step) - 1) * step;
}

/** How many taps from `first` on a phase has. */
function countOf(first: i32, taps: i32, step: i32): i32 {
  return divided(taps - first + step - 1, step);
}

/** Padding of y, which may be negative: how far before t the pixel lies that `last` meets. */
function padOf(phase: i32, pad: i32, last: i32, stride: i32, dilation: i32): i32 {
  return divided(last * dilation - phase - pad, stride);
}

/**
 * The window that slides over y of `slide` and makes the positions of phase (py, px) of its x. Where they begin in x is
 * returned, in elements.
 */
export function phaseOf(to: Window, slide: Window, py: i32, px: i32): i32 {
  const strideH = slide.strideH;
  const strideW = slide.strideW;
  const dilationH = slide.dilationH;
  const dilationW = slide.dilationW;
  const stepH = stepOf(strideH, dilationH);
  const stepW = stepOf(strideW, dilationW);
  const top = firstOf(py, slide.padTop, slide.kh, strideH, dilationH);
  const left = firstOf(px, slide.padLeft, slide.kw, strideW, dilationW);
  const line = slide.inW * slide.ldx;
  to.inH = slide.outH;
  to.inW = slide.outW;
  to.cin = slide.cout;
  to.ldx = slide.ldy;
  to.outH = positions(slide.inH, py, strideH);
  to.outW = positions(slide.inW, px, strideW);
  to.cout = slide.cin;
  to.ldy = strideW * slide.ldx;
  to.lineY = strideH * line;
  to.imageY = slide.inH * line;
  to.kh = countOf(top, slide.kh, stepH);
  to.kw = countOf(left, slide.kw, stepW);
  to.strideH = 1;
  to.strideW = 1;
  to.dilationH = divided(dilationH, divided(strideH, stepH));
  to.dilationW = divided(dilationW, divided(strideW, stepW));
  to.padTop = padOf(py, slide.padTop, lastOf(top, slide.kh, stepH), strideH, dilationH);
  to.padLeft = padOf(px, slide.padLeft, lastOf(left, slide.kw, stepW), strideW, dilationW);
  return py * line + px * slide.ldx;
}
