// Weight gradients of convolutions: the product of a strip's patches, read where they lie, with the gradients of its
// pixels.

import { up } from "../lanes/whole";
import { packColumns } from "./numbers";
import { addOuter } from "./outer";
import { neighbours, packStrip, reach } from "./strip";

/** Output channels whose sums are in scratch together. */
const COLUMNS: i32 = 64;

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
 * The strip of x is packed once for COLUMNS channels; each panel of them meets it from the cache.
 */
function weightGradient<T>(
  dw: usize,
  dy: usize,
  lddy: i32,
  x: usize,
  ldx: i32,
  scratch: usize,
  batch: i32,
  inH: i32,
  inW: i32,
  cin: i32,
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
  scale: f32,
  zero: i32,
  begin: i32,
  end: i32,
): void {
  const s = f32x4.splat(scale);
  const z = i32x4.splat(zero);
  const taps = kh * kw;
  const most = neighbours(outW, kw, strideW, dilationW, (cin * reach(1, kh, strideH, dilationH)) << 2);
  const width = reach(most, kw, strideW, dilationW);
  const high = most < outW ? 1 : neighbours(outH, kh, strideH, dilationH, (cin * width) << 2);
  const patch = (<usize>up(taps * cin, 4)) << 2;
  const sums = scratch + patch;
  const gradients = sums + <usize>((min(COLUMNS, end - begin) + 7) >> 3) * (patch << 3);
  const strip = gradients + ((<usize>(high * most)) << 5);
  const line = width * cin;
  offsetsOf(scratch, kh, kw, cin, dilationH * line, dilationW * cin);
  for (let first = begin; first < end; first += COLUMNS) {
    const cols = min(COLUMNS, end - first);
    memory.fill(sums, 0, gradients - sums);
    for (let image = 0; image < batch; image++) {
      const from = x + <usize>image * <usize>(inH * inW * ldx) * sizeof<T>();
      for (let oy = 0; oy < outH; oy += high)
        for (let ox = 0; ox < outW; ox += most) {
          const rows = min(high, outH - oy);
          const pixels = min(most, outW - ox);
          const top = oy * strideH - padTop;
          const left = ox * strideW - padLeft;
          const lines = reach(rows, kh, strideH, dilationH);
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
 * x [batch][inH][inW] pixels of cin channels, ldx elements apart; dy [batch][outH][outW] pixels of cout channels, lddy
 * apart. Range: o. scratch: convWeightGradientScratchBytes.
 */
export function convWeightGradient(
  dw: usize,
  dy: usize,
  lddy: i32,
  x: usize,
  ldx: i32,
  scratch: usize,
  batch: i32,
  inH: i32,
  inW: i32,
  cin: i32,
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
  weightGradient<f32>(
    dw,
    dy,
    lddy,
    x,
    ldx,
    scratch,
    batch,
    inH,
    inW,
    cin,
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
    1,
    0,
    begin,
    end,
  );
}

/** The same of x as u8 codes, each (q − zero)·scale, 0 in the padding: the bits of `convWeightGradient` over those numbers. */
export function convWeightGradientCodes(
  dw: usize,
  dy: usize,
  lddy: i32,
  x: usize,
  ldx: i32,
  scratch: usize,
  batch: i32,
  inH: i32,
  inW: i32,
  cin: i32,
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
  scale: f32,
  zero: i32,
  begin: i32,
  end: i32,
): void {
  weightGradient<u8>(
    dw,
    dy,
    lddy,
    x,
    ldx,
    scratch,
    batch,
    inH,
    inW,
    cin,
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
    scale,
    zero,
    begin,
    end,
  );
}
