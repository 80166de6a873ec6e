// int8 convolution as a matrix product over patches that share their kernel rows.
//
// A kernel row of a pixel's patch, kw · cin codes, is packed once and met by every output row that reads it. So tiles
// are cut from strips: pixels side by side in each output row or, in the columns left over, one above the other. A strip
// is packed downwards, and the kernel rows of each of its tiles lie in a row:
//
//   strip   | row 0 of a tile's pixels | row 1 | row 2 | row 3 | …       3×3, stride 1
//   tile 0  |<-------------- patches -------------->|
//   tile 1                             |<-------------- patches -------------->|

import { Window } from "../lanes/window";
import { dequantize, prepare, resultBytes } from "./epilogue";
import { multiplyTiles, packTile } from "./multiply";
import { kernelRowDepth, ROWS, TILE_STEP } from "./panels";
import { CODES, DEQUANTIZE, Epilogue, slotBytes, stripRows } from "./sizes";

/**
 * y[p][c] of s = Σ_tap Σ_i x[pixel(p, tap)][i] · w[tap][i][c] + offset[c], as gemmInt8 says of its rows.
 *
 * x u8 and y as the window says; addend of ADD lies as y does, xScale and xZero of DEQUANTIZE are one number each, and the latter
 * is what pixels outside the image read as. w and offset from packWeightsInt8 with kh rows of kw taps of cin channels.
 * Range: rows of output, batch · outH of them. y overlaps nothing.
 *
 *   scratch   | codes | slots, a kernel row of each lane | packed strip |
 */
export function convInt8(
  y: usize,
  x: usize,
  w: usize,
  offset: usize,
  scale: usize,
  addend: usize,
  xScale: usize,
  xZero: usize,
  scratch: usize,
  window: usize,
  epilogue: usize,
  begin: i32,
  end: i32,
): void {
  const slide = changetype<Window>(window);
  const how = changetype<Epilogue>(epilogue);
  const isReal = <i32>how.kind == DEQUANTIZE;
  prepare(scratch, how, addend - y);
  const outH = slide.outH;
  const outW = slide.outW;
  const cout = slide.cout;
  const kh = slide.kh;
  const strideH = slide.strideH;
  const strideW = slide.strideW;
  const zero = isReal ? load<i32>(xZero) : slide.outside;
  const pixel = <usize>slide.ldy * resultBytes(scratch);
  const line = <usize>outW * pixel;
  const slots = scratch + CODES;
  const strip = slots + <usize>(slotBytes(slide.kw * slide.cin) * ROWS);
  const depth = kernelRowDepth(slide.kw * slide.cin);
  const fit = stripRows(depth, ROWS);
  const image = <usize>(slide.inH * slide.inW * slide.ldx);
  for (let first = begin, rows = 0; first < end; first += rows) {
    const oy = first % outH;
    rows = min(end - first, outH - oy);
    const from = x + <usize>(first / outH) * image;
    for (let ox = 0, columns = 0; ox < outW; ox += columns) {
      const left = outW - ox;
      const upright = left < ROWS && left * ((rows + ROWS - 1) / ROWS) < rows;
      columns = upright ? 1 : min(left, ROWS);
      const tall = upright ? ROWS : 1;
      const fresh = upright || slide.dilationH > 1 ? kh : min(strideH, kh);
      const tiles = (rows + tall - 1) / tall;
      const most = max(0, fit - kh) / fresh + 1;
      let to = y + <usize>first * line + <usize>ox * pixel;
      const last = to + <usize>(rows - 1) * line + <usize>(columns - 1) * pixel;
      for (let t = 0; t < tiles; t += most, to += <usize>(most * tall) * line) {
        const count = min(most, tiles - t);
        const lanes = upright ? rows - t * tall : columns;
        const top = (oy + t * tall) * strideH - slide.padTop;
        const start = ox * strideW - slide.padLeft;
        packStrip(strip, slide, from, slots, zero, top, start, upright, lanes, count, fresh);
        multiplyTiles(
          to,
          upright ? line : pixel,
          <usize>tall * line,
          upright ? ROWS : columns,
          last,
          strip,
          fresh * depth * TILE_STEP,
          count,
          w,
          offset,
          scale,
          cout,
          kh * depth,
          scratch,
        );
      }
    }
  }
  if (!isReal) return;
  const to = y + <usize>begin * line;
  dequantize(to, pixel, (end - begin) * outW, offset, scale, addend, xScale, xZero, 0, how, 0, cout);
}

/**
 * The kernel rows of `count` tiles of the image at x: of each but the last those `fresh` ones that the next does not share.
 *
 * The first tile's first lane reads from row `top` and column `left` of the image on. Lanes are `lanes` pixels side by
 * side, of one tile below the other, or as many upright ones in all.
 */
function packStrip(
  to: usize,
  slide: Window,
  x: usize,
  slots: usize,
  zero: i32,
  top: i32,
  left: i32,
  upright: bool,
  lanes: i32,
  count: i32,
  fresh: i32,
): void {
  const part = kernelRowDepth(slide.kw * slide.cin) * TILE_STEP;
  const down = upright ? slide.strideH : 0;
  const right = upright ? 0 : slide.strideW;
  const step = upright ? ROWS * slide.strideH : slide.strideH;
  for (let t = 1; t <= count; t++, top += step) {
    const parts = t < count ? fresh : slide.kh;
    for (let i = 0, row = top; i < parts; i++, row += slide.dilationH, to += part)
      packKernelRow(to, slide, x, slots, zero, row, left, down, right, min(ROWS, lanes));
    if (upright) lanes -= ROWS;
  }
}

/**
 * One kernel row of each lane's patch → its part of a tile. The first lane's begins at row `top` and column `left` of
 * the image, the others `down` rows and `right` columns further. Those that do not lie in x in one piece go through slots.
 */
function packKernelRow(
  to: usize,
  slide: Window,
  x: usize,
  slots: usize,
  zero: i32,
  top: i32,
  left: i32,
  down: i32,
  right: i32,
  lanes: i32,
): void {
  const ldx = slide.ldx;
  const codes = slide.kw * slide.cin;
  const bottom = top + (lanes - 1) * down;
  const end = left + (lanes - 1) * right + (slide.kw - 1) * slide.dilationW;
  const whole = slide.kw == 1 || (slide.dilationW == 1 && ldx == slide.cin);
  if (whole && top >= 0 && bottom < slide.inH && left >= 0 && end < slide.inW) {
    const from = x + <usize>(top * slide.inW + left) * ldx;
    const step = <usize>(down * slide.inW + right) * ldx;
    packTile(to, from, step, from + <usize>(lanes - 1) * step, codes);
    return;
  }
  const slot = <usize>slotBytes(codes);
  for (let r = 0; r < lanes; r++)
    gather(slots + <usize>r * slot, slide, x, zero, top + r * down, left + r * right);
  packTile(to, slots, slot, slots + <usize>(lanes - 1) * slot, codes);
}

/** One kernel row, tap by tap, and up to 15 bytes more. */
function gather(to: usize, slide: Window, x: usize, zero: i32, row: i32, left: i32): void {
  const cin = slide.cin;
  const from = x + <usize>(row * slide.inW) * slide.ldx;
  const inside = <u32>row < <u32>slide.inH;
  for (let j = 0, column = left; j < slide.kw; j++, column += slide.dilationW, to += cin) {
    if (inside && <u32>column < <u32>slide.inW) copy(to, from + <usize>(column * slide.ldx), cin);
    else fill(to, zero, cin);
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
