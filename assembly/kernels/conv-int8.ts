// int8 convolution as a matrix product over gathered patches.

import { codeShift } from "./epilogue-int8";
import { multiplyRows } from "./multiply-int8";
import { blockRows, rowBytes } from "./panels-int8";

/**
 * y[p][c] = clamp(rne(f32(Σ_tap Σ_i x[pixel(p, tap)][i] · w[tap][i][c] + offset[c]) · scale[c]) + yZero, lo, hi)
 *
 * x u8 [batch][inH][inW][ldx], of which cin channels count; y u8 [batch][outH][outW][ldy], of which cout are written.
 * w and offset from packWeightsInt8 with kh·kw taps of cin channels. Pixels outside the image read as xZero.
 * Range: rows of output, batch · outH of them. y overlaps nothing.
 *
 * Patches of a block of output pixels are gathered as rows of scratch and multiplied while they are in cache; where
 * a patch is a pixel (1×1, stride 1, no padding) its row of x is used as it lies.
 */
export function convInt8(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  offset: usize,
  scale: usize,
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
  xZero: i32,
  yZero: i32,
  lo: i32,
  hi: i32,
  begin: i32,
  end: i32,
): void {
  if (begin >= end) return;
  const low = f32x4.splat(<f32>(lo - yZero)),
    high = f32x4.splat(<f32>(hi - yZero)),
    shift = codeShift(yZero);
  const k = kh * kw * cin,
    patch = rowBytes(k),
    last = end * outW,
    block = blockRows(last - begin * outW, k);
  const pointwise =
    kh * kw * strideH * strideW == 1 && padTop == 0 && padLeft == 0 && inH == outH && inW == outW;
  const dense = dilationW == 1 && ldx == cin;
  const patches = scratch,
    panels = pointwise ? scratch : scratch + <usize>block * patch + 16;
  let oy = begin % outH,
    ox = 0,
    image = x + <usize>(begin / outH) * inH * inW * ldx;
  for (let p = begin * outW; p < last; p += block) {
    const rows = min(block, last - p);
    let from = x + <usize>p * ldx,
      stride = <usize>ldx;
    if (!pointwise) {
      from = patches;
      stride = patch;
      for (let r = 0, to = patches; r < rows; r++, to += patch) {
        gather(
          to,
          image,
          ldx,
          inH,
          inW,
          cin,
          kh,
          kw,
          dilationH,
          dilationW,
          oy * strideH - padTop,
          ox * strideW - padLeft,
          xZero,
          dense,
        );
        if (++ox == outW) {
          ox = 0;
          if (++oy == outH) {
            oy = 0;
            image += <usize>inH * inW * ldx;
          }
        }
      }
    }
    multiplyRows<u8>(
      y + <usize>p * ldy,
      ldy,
      from,
      stride,
      w,
      offset,
      scale,
      panels,
      rows,
      cout,
      k,
      low,
      high,
      shift,
    );
  }
}

/** The patch whose first tap is at (top, left), taps row by row, up to 15 bytes written past it. */
function gather(
  to: usize,
  image: usize,
  ldx: i32,
  inH: i32,
  inW: i32,
  cin: i32,
  kh: i32,
  kw: i32,
  dilationH: i32,
  dilationW: i32,
  top: i32,
  left: i32,
  xZero: i32,
  dense: bool,
): void {
  const whole = dense && left >= 0 && left + kw <= inW;
  for (let i = 0, row = top; i < kh; i++, row += dilationH) {
    const from = image + <usize>(row * inW) * ldx,
      outside = <u32>row >= <u32>inH;
    if (outside || whole) {
      const bytes = kw * cin;
      if (outside) fill(to, xZero, bytes);
      else copy(to, from + <usize>left * ldx, bytes);
      to += bytes;
    } else {
      for (let j = 0, column = left; j < kw; j++, column += dilationW, to += cin) {
        if (<u32>column >= <u32>inW) fill(to, xZero, cin);
        else copy(to, from + <usize>column * ldx, cin);
      }
    }
  }
}

/** `bytes`, and up to 15 more. */
function copy(to: usize, from: usize, bytes: i32): void {
  for (const end = to + bytes; to < end; to += 16, from += 16) v128.store(to, v128.load(from));
}

/** `bytes`, and up to 15 more. */
function fill(to: usize, value: i32, bytes: i32): void {
  const v = i8x16.splat(<i8>value);
  for (const end = to + bytes; to < end; to += 16) v128.store(to, v);
}
