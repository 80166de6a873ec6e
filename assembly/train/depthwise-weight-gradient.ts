// Weight gradients of depthwise convolutions: sums over the pixels of padded strips.

import { Window } from "../lanes/window";
import { LINE, reach, stripCols, stripRows, stripWidth, TAPS, tapsBytes } from "./sizes";
import { packStrip } from "./strip";

/** Where taps lie behind the first, in bytes; zeros up to a multiple of TAPS. */
function offsetsOf(to: usize, kh: i32, kw: i32, down: i32, right: i32): void {
  memory.fill(to, 0, (<usize>((kh * kw + TAPS - 1) / TAPS) * TAPS) << 2);
  for (let ky = 0; ky < kh; ky++)
    for (let kx = 0; kx < kw; kx++, to += 4) store<i32>(to, (ky * down + kx * right) << 2);
}

/**
 * sums[t] += Σ_p x[p + offset[t]]·dy[p] for three taps of eight channels. Pixels of dy are `next` bytes apart, those of
 * x `step`, lines of x `line`.
 */
function addTaps(
  sums: usize,
  offset: usize,
  x: usize,
  step: usize,
  line: usize,
  dy: usize,
  next: usize,
  lines: i32,
  pixels: i32,
): void {
  const o0 = load<i32>(offset);
  const o1 = load<i32>(offset, 4) - o0;
  const o2 = load<i32>(offset, 8) - o0;
  let c00 = v128.load(sums);
  let c01 = v128.load(sums, 16);
  let c10 = v128.load(sums, 32);
  let c11 = v128.load(sums, 48);
  let c20 = v128.load(sums, 64);
  let c21 = v128.load(sums, 80);
  x += o0;
  for (; lines > 0; lines--, x += line) {
    let p = x;
    for (let i = pixels; i > 0; i--, p += step, dy += next) {
      const d0 = v128.load(dy);
      const d1 = v128.load(dy, 16);
      c00 = f32x4.add(c00, f32x4.mul(d0, v128.load(p)));
      c01 = f32x4.add(c01, f32x4.mul(d1, v128.load(p, 16)));
      const p1 = p + o1;
      c10 = f32x4.add(c10, f32x4.mul(d0, v128.load(p1)));
      c11 = f32x4.add(c11, f32x4.mul(d1, v128.load(p1, 16)));
      const p2 = p + o2;
      c20 = f32x4.add(c20, f32x4.mul(d0, v128.load(p2)));
      c21 = f32x4.add(c21, f32x4.mul(d1, v128.load(p2, 16)));
    }
  }
  v128.store(sums, c00);
  v128.store(sums, c01, 16);
  v128.store(sums, c10, 32);
  v128.store(sums, c11, 48);
  v128.store(sums, c20, 64);
  v128.store(sums, c21, 80);
}

/**
 * The gradients of channels begin to end.
 *
 *   scratch | offsets of taps | sums: [channels / 8][taps][8] | strip |
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
  const channels = slide.cin;
  const outH = slide.outH;
  const outW = slide.outW;
  const kh = slide.kh;
  const kw = slide.kw;
  const strideH = slide.strideH;
  const strideW = slide.strideW;
  const taps = kh * kw;
  const offsets = <usize>tapsBytes(slide);
  const sums = scratch + offsets;
  const strip = sums + <usize>LINE * offsets;
  for (let first = begin; first < end; first += LINE) {
    const cols = min(LINE, end - first);
    const most = stripCols(slide, cols);
    const width = stripWidth(slide, cols);
    const high = stripRows(slide, cols);
    const step = (<usize>(strideW * cols)) << 2;
    const line = (<usize>(strideH * width * cols)) << 2;
    const next = (<usize>channels) << 2;
    offsetsOf(scratch, kh, kw, slide.dilationH * width * cols, slide.dilationW * cols);
    memory.fill(sums, 0, strip - sums);
    for (let image = 0; image < batch; image++) {
      const from = x + <usize>(image * inH * inW * channels + first) * sizeof<T>();
      for (let oy = 0; oy < outH; oy += high)
        for (let ox = 0; ox < outW; ox += most) {
          const rows = min(high, outH - oy);
          const pixels = min(most, outW - ox);
          const top = oy * strideH - slide.padTop;
          const left = ox * strideW - slide.padLeft;
          const lines = reach(rows, kh, strideH, slide.dilationH);
          packStrip<T>(strip, from, channels, inH, inW, cols, top, left, lines, width, z, s);
          const at = dy + ((<usize>(((image * outH + oy) * outW + ox) * channels + first)) << 2);
          let to = sums;
          for (let c = 0; c < cols; c += 8) {
            const back = (<usize>c) << 2;
            for (let t = scratch; t < sums; t += TAPS << 2, to += TAPS << 5)
              addTaps(to, t, strip + back, step, line, at + back, next, rows, pixels);
          }
        }
    }
    for (let c = 0; c < cols; c++) {
      const from = sums + <usize>(c >> 3) * (offsets << 3) + ((<usize>(c & 7)) << 2);
      const to = dw + ((<usize>((first + c) * taps)) << 2);
      for (let t = 0; t < taps; t++) store<f32>(to + ((<usize>t) << 2), load<f32>(from + ((<usize>t) << 5)));
    }
  }
}

/**
 * dw[c][ky][kx] = Σ_p dy[p][c]·x[p·stride + (ky,kx)·dilation − pad][c], p ascending: images, rows, pixels.
 *
 * x and dy as the window says x and y, whose cin channels both have, densely. x is f32, or u8 codes where `coded`: each
 * (q − zero)·scale, 0 in the padding, to the same bits. Range: c. scratch: depthwiseWeightGradientScratchBytes.
 */
export function depthwiseWeightGradient(
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
