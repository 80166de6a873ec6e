// Weight gradients of convolutions: the product of a strip's patches, read where they lie, with the gradients of its
// pixels.

import { Window } from "../lanes/window";
import { packColumns } from "./numbers";
import { addOuter } from "./outer";
import { patchBytes, reach, SUMMED, stripCols, stripRows, stripWidth } from "./sizes";
import { packStrip } from "./strip";

/** Where the values of a patch, (ky, kx, c), lie behind its first, in bytes; zeros up to a multiple of four. */
function offsetsOf(to: usize, kh: i32, kw: i32, cin: i32, down: i32, right: i32): void {
  v128.store(to + ((<usize>(kh * kw * cin - 1) & ~3) << 2), i32x4.splat(0));
  for (let ky = 0; ky < kh; ky++)
    for (let kx = 0; kx < kw; kx++)
      for (let c = 0; c < cin; c++, to += 4) store<i32>(to, (ky * down + kx * right + c) << 2);
}

/** dw[o][c][tap] = sums[o / 8][tap][c][o mod 8] for `cols` output channels. `panel` in bytes. */
function unpack(dw: usize, sums: usize, panel: usize, cin: i32, taps: i32, cols: i32): void {
  for (let o = 0; o < cols; o++) {
    let from = sums + <usize>(o >> 3) * panel + ((<usize>(o & 7)) << 2);
    for (let tap = 0; tap < taps; tap++)
      for (let c = 0; c < cin; c++, from += 32)
        store<f32>(dw + ((<usize>((o * cin + c) * taps + tap)) << 2), load<f32>(from));
  }
}

/** sums[k][o] += Σ_p x[p + offset[k]]·dy[p][o] for eight o: pixels are `step`, lines of them `line` numbers apart. */
function addPatches(
  sums: usize,
  offsets: usize,
  patch: usize,
  strip: usize,
  step: i32,
  line: i32,
  gradients: usize,
  lines: i32,
  pixels: i32,
): void {
  const right = (<usize>step) << 2;
  const down = (<usize>line) << 2;
  for (let i = offsets; i < offsets + patch; i += 16, sums += 128) {
    const a0 = load<i32>(i);
    const a1 = load<i32>(i, 4) - a0;
    const a2 = load<i32>(i, 8) - a0;
    const a3 = load<i32>(i, 12) - a0;
    addOuter(sums, 32, 4, 8, false, strip + a0, a1, a2, a3, right, down, gradients, lines, pixels);
  }
}

/**
 * The gradients of output channels begin to end.
 *
 *   scratch | offsets of a patch | sums: panels of [k][8] | dy: a panel of [pixels][8] | strip |
 *
 * The strip of x is packed once for SUMMED channels; each panel of them meets it from the cache.
 */
function weightGradient<T>(
  dw: usize,
  dy: usize,
  x: usize,
  scratch: usize,
  batch: i32,
  slide: Window,
  scale: f32,
  zero: i32,
  begin: i32,
  end: i32,
): void {
  const s = f32x4.splat(scale);
  const z = i32x4.splat(zero);
  const inH = slide.inH;
  const inW = slide.inW;
  const cin = slide.cin;
  const ldx = slide.ldx;
  const outH = slide.outH;
  const outW = slide.outW;
  const lddy = slide.ldy;
  const kh = slide.kh;
  const kw = slide.kw;
  const strideH = slide.strideH;
  const strideW = slide.strideW;
  const taps = kh * kw;
  const most = stripCols(slide, cin);
  const width = stripWidth(slide, cin);
  const high = stripRows(slide, cin);
  const patch = <usize>patchBytes(slide);
  const sums = scratch + patch;
  const gradients = sums + <usize>((min(SUMMED, end - begin) + 7) >> 3) * (patch << 3);
  const strip = gradients + ((<usize>(high * most)) << 5);
  const line = width * cin;
  offsetsOf(scratch, kh, kw, cin, slide.dilationH * line, slide.dilationW * cin);
  for (let first = begin; first < end; first += SUMMED) {
    const cols = min(SUMMED, end - first);
    memory.fill(sums, 0, gradients - sums);
    for (let image = 0; image < batch; image++) {
      const from = x + <usize>image * <usize>(inH * inW * ldx) * sizeof<T>();
      for (let oy = 0; oy < outH; oy += high)
        for (let ox = 0; ox < outW; ox += most) {
          const rows = min(high, outH - oy);
          const pixels = min(most, outW - ox);
          const top = oy * strideH - slide.padTop;
          const left = ox * strideW - slide.padLeft;
          const lines = reach(rows, kh, strideH, slide.dilationH);
          packStrip<T>(strip, from, ldx, inH, inW, cin, top, left, lines, width, z, s);
          const at = dy + ((<usize>(((image * outH + oy) * outW + ox) * lddy + first)) << 2);
          for (let o = 0, to = sums; o < cols; o += 8, to += patch << 3) {
            packColumns<f32>(gradients, at + ((<usize>o) << 2), lddy, rows * pixels, 8, z, s);
            addPatches(to, scratch, patch, strip, strideW * cin, strideH * line, gradients, rows, pixels);
          }
        }
    }
    unpack(dw + ((<usize>(first * taps * cin)) << 2), sums, patch << 3, cin, taps, cols);
  }
}

/**
 * dw[o][c][ky][kx] = Σ_p dy[p][o]·x[p·stride + (ky,kx)·dilation − pad][c], p ascending: images, rows, pixels.
 *
 * x and dy lie as the window says x and y do. x is f32, or u8 codes where `coded`: each (q − zero)·scale, 0 in the padding, to
 * the same bits. Range: o. scratch: convWeightGradientScratchBytes.
 */
export function convWeightGradient(
  dw: usize,
  dy: usize,
  x: usize,
  scratch: usize,
  batch: i32,
  window: usize,
  coded: i32,
  scale: f32,
  zero: i32,
  begin: i32,
  end: i32,
): void {
  const slide = changetype<Window>(window);
  if (coded) weightGradient<u8>(dw, dy, x, scratch, batch, slide, scale, zero, begin, end);
  else weightGradient<f32>(dw, dy, x, scratch, batch, slide, scale, zero, begin, end);
}
