// int8 depthwise convolution.
//
// The rows under some output rows are zipped into scratch, G at a time (4 relaxed, else 2), so that one dot adds G
// taps of a channel, and no column is widened or zipped again for the next pixel that meets it. The padding is zipped
// like the image, from zero-point codes: the products know no borders.
//
//   scratch   | xZero × 16 | offsets of the window's columns, i32 | plane 0 | plane 1 | …
//   plane     | run 0 | run 1 | …      G rows; a run has what one column of the window meets, pixel after pixel
//   column    | G rows of channel 0 | … of channel 7 |      32 bytes: codes, widened to 16 bits where G is 2

import { storeBytes8, up, zipHigh16, zipLow8, zipLow16 } from "../lanes/simd";
import { firstTap, lastTap } from "../lanes/window";
import { groupsOf, periodOf, shiftOfRows, tripleColumns, turnRows } from "./depthwise-panels";
import { codeMagic, codeShift, narrow, requantize } from "./epilogue";
import { multiplyAdd16, multiplyAddLow8 } from "./multiply-add";
import { GROUP, RELAXED } from "./panels";

/** Pixels of a row that are in scratch together, and pixels of all rows: a part of the first-level cache. */
const SEGMENT: i32 = 64;
const PIXELS: i32 = 128;

/**
 * y[p][c] = clamp(rne(f32(Σ_t x[pixel(p, t)][c] · w[c][t] + offset[c]) · scale[c]) + yZero, lo, hi)
 *
 * x u8 [batch][inH][inW][channels], y u8 [batch][outH][outW][channels]. w and offset from packDepthwiseInt8 with
 * the same window. Pixels outside the image read as xZero. Range: rows of output, batch · outH. y overlaps nothing.
 */
export function depthwiseInt8(
  y: usize,
  x: usize,
  w: usize,
  offset: usize,
  scale: usize,
  scratch: usize,
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
  xZero: i32,
  yZero: i32,
  lo: i32,
  hi: i32,
  begin: i32,
  end: i32,
): void {
  const low = f32x4.splat(<f32>(lo - yZero));
  const high = i8x16.splat(<i8>hi);
  const shift = codeShift(yZero);
  const blank = RELAXED ? i8x16.splat(<i8>(xZero ^ shiftOfRows())) : i16x8.splat(<i16>xZero);
  v128.store(scratch, i8x16.splat(<i8>xZero));

  const groups = groupsOf(kh);
  const turn = turnRows(kh, strideH, dilationH);
  const advance = turn * strideH;
  // The rows of a turn's second group may be those of a later turn's first.
  const shared = dilationH == 1 && GROUP % advance == 0;
  const planesOfTurn = shared ? 1 : groups;
  const reach = shared ? GROUP / advance : 1;

  const period = periodOf(kw, strideW, dilationW);
  const runs = min(period, kw);
  const width = min(outW, SEGMENT);
  const pitch = (width + (kw - 1) / period) << 5;
  const plane = runs * pitch;
  const triples = tripleColumns(kw, period);
  const table = scratch + 16;
  const singles = table + (((groups * triples) / 3) << 2);
  const last = singles + ((groups * (kw - triples)) << 2);
  for (let g = 0, at = table; g < groups; g++)
    for (let j = 0; j < triples; j += 3, at += 4) store<i32>(at, g * reach * plane + (j << 5));
  for (let g = 0, at = singles; g < groups; g++)
    for (let j = triples; j < kw; j++, at += 4)
      store<i32>(at, g * reach * plane + (j % period) * pitch + ((j / period) << 5));
  const planes = table + (up(groups * kw, 4) << 2);

  const panel = (kw * groups) << 5;
  const line = outW * channels;
  const most = max(1, PIXELS / (turn * width)) * turn;
  y += <usize>(begin * line);
  for (let p = begin, rows = 0; p < end; p += rows, y += <usize>(rows * line)) {
    const oy = p % outH;
    rows = min(min(most, outH - oy), end - p);
    const turns = (rows + turn - 1) / turn + (shared ? (groups - 1) * reach : 0);
    const image = x + <usize>((p / outH) * inH * inW * channels);
    const top = oy * strideH - padTop;
    for (let ox = 0; ox < outW; ox += width) {
      const pixels = min(width, outW - ox);
      const fours = pixels & ~3;
      const columns = pixels + (kw - 1) / period;
      const start = ox * strideW - padLeft;
      for (let run = 0, left = start; run < runs; run++, left += dilationW) {
        const first = firstTap(left, strideW);
        const until = lastTap(left, strideW, columns, inW);
        pad(planes + run * pitch, plane, turns * planesOfTurn, columns, first, until, blank);
      }
      for (let c = 0; c < channels; c += 8) {
        for (let run = 0, left = start; run < runs; run++, left += dilationW) {
          const first = firstTap(left, strideW);
          const count = lastTap(left, strideW, columns, inW) - first;
          const from = image + (left + first * strideW) * channels + c;
          let to = planes + run * pitch + (first << 5);
          for (let t = 0, row = top; t < turns; t++, row += advance)
            for (let g = 0; g < planesOfTurn; g++, to += plane) {
              const at = row + g * GROUP * dilationH;
              zip(to, count, from, strideW * channels, at, dilationH, inH, inW * channels, scratch);
            }
        }
        const block = w + (c >> 3) * turn * panel;
        for (let t = 0; t < min(turn, rows); t++) {
          const out = y + t * line + ox * channels + c;
          const n = (rows - t + turn - 1) / turn;
          for (let h = 0; h < 8 && c + h < channels && fours > 0; h += 4)
            multiplyFours(
              out + h,
              turn * line,
              channels,
              channels - c - h,
              n,
              fours,
              planes + (h << 2),
              planesOfTurn * plane,
              table,
              singles,
              last,
              block + t * panel + (h << 2),
              offset + ((c + h) << 2),
              scale + ((c + h) << 2),
              low,
              high,
              shift,
            );
          if (fours < pixels)
            multiplyOnes(
              out + fours * channels,
              turn * line,
              channels,
              channels - c,
              n,
              pixels - fours,
              planes + (fours << 5),
              planesOfTurn * plane,
              table,
              singles,
              last,
              block + t * panel,
              offset + (c << 2),
              scale + (c << 2),
              low,
              high,
              shift,
            );
        }
      }
    }
  }
}

/** Blank columns where a run lies outside the image, before column `first` and from `until` on: in `count` planes. */
function pad(to: usize, plane: usize, count: i32, columns: i32, first: i32, until: i32, blank: v128): void {
  const from = max(first, until);
  for (; count > 0; count--, to += plane) {
    fill(to, min(first, columns), blank);
    fill(to + (from << 5), columns - from, blank);
  }
}

/** `count` blank columns. */
function fill(to: usize, count: i32, blank: v128): void {
  for (; count > 0; count--, to += 32) {
    v128.store(to, blank);
    v128.store(to, blank, 16);
  }
}

/** `count` columns, `step` bytes apart, of the G rows from `row` on; rows outside the image are blank. */
function zip(
  to: usize,
  count: i32,
  x: usize,
  step: usize,
  row: i32,
  dilation: i32,
  inH: i32,
  line: i32,
  blank: usize,
): void {
  const in0 = <u32>row < <u32>inH;
  let p0 = in0 ? x + row * line : blank;
  const d0 = in0 ? step : 0;
  row += dilation;
  const in1 = <u32>row < <u32>inH;
  let p1 = in1 ? x + row * line : blank;
  const d1 = in1 ? step : 0;
  if (GROUP == 2) {
    for (; count > 0; count--, to += 32, p0 += d0, p1 += d1) {
      const a = v128.load8x8_u(p0);
      const b = v128.load8x8_u(p1);
      v128.store(to, zipLow16(a, b));
      v128.store(to, zipHigh16(a, b), 16);
    }
  } else {
    row += dilation;
    const in2 = <u32>row < <u32>inH;
    let p2 = in2 ? x + row * line : blank;
    const d2 = in2 ? step : 0;
    row += dilation;
    const in3 = <u32>row < <u32>inH;
    let p3 = in3 ? x + row * line : blank;
    const d3 = in3 ? step : 0;
    const shift = i8x16.splat(<i8>shiftOfRows());
    for (; count > 0; count--, to += 32, p0 += d0, p1 += d1, p2 += d2, p3 += d3) {
      const a = v128.xor(zipLow8(v128.load64_zero(p0), v128.load64_zero(p1)), shift);
      const b = v128.xor(zipLow8(v128.load64_zero(p2), v128.load64_zero(p3)), shift);
      v128.store(to, zipLow16(a, b));
      v128.store(to, zipHigh16(a, b), 16);
    }
  }
}

/** sum + the G products of each channel. */
function multiplyAdd(sum: v128, x: v128, w: v128): v128 {
  return RELAXED ? multiplyAddLow8(sum, w, x) : multiplyAdd16(sum, x, w);
}

/**
 * Four channels of `rows` rows of `pixels` pixels, a multiple of four.
 *
 * Rows of y are ldy bytes apart, those of planes ldx. The offsets from `table` on are of columns in threes, those from
 * `singles` on of lone ones. Four sums, six columns and three weights fit the registers that V8 has.
 */
function multiplyFours(
  y: usize,
  ldy: usize,
  channels: usize,
  cols: i32,
  rows: i32,
  pixels: i32,
  x: usize,
  ldx: usize,
  table: usize,
  singles: usize,
  last: usize,
  w: usize,
  offset: usize,
  scale: usize,
  lo: v128,
  hi: v128,
  shift: v128,
): void {
  for (; rows > 0; rows--, x += ldx, y += ldy) {
    let to = y;
    let pixel = x;
    for (let n = pixels; n > 0; n -= 4, pixel += 128, to += channels << 2) {
      let a = v128.load(offset);
      let b = a;
      let c = a;
      let d = a;
      let from = w;
      let t = table;
      for (; t < singles; t += 4, from += 96) {
        const at = pixel + load<i32>(t);
        const w0 = v128.load(from);
        const w1 = v128.load(from, 32);
        const w2 = v128.load(from, 64);
        const x0 = v128.load(at);
        const x1 = v128.load(at, 32);
        const x2 = v128.load(at, 64);
        const x3 = v128.load(at, 96);
        const x4 = v128.load(at, 128);
        const x5 = v128.load(at, 160);
        a = multiplyAdd(multiplyAdd(multiplyAdd(a, x0, w0), x1, w1), x2, w2);
        b = multiplyAdd(multiplyAdd(multiplyAdd(b, x1, w0), x2, w1), x3, w2);
        c = multiplyAdd(multiplyAdd(multiplyAdd(c, x2, w0), x3, w1), x4, w2);
        d = multiplyAdd(multiplyAdd(multiplyAdd(d, x3, w0), x4, w1), x5, w2);
      }
      for (; t < last; t += 4, from += 32) {
        const at = pixel + load<i32>(t);
        const w0 = v128.load(from);
        a = multiplyAdd(a, v128.load(at), w0);
        b = multiplyAdd(b, v128.load(at, 32), w0);
        c = multiplyAdd(c, v128.load(at, 64), w0);
        d = multiplyAdd(d, v128.load(at, 96), w0);
      }
      const s = v128.load(scale);
      const q = narrow(
        requantize(a, s, lo, codeMagic(), shift),
        requantize(b, s, lo, codeMagic(), shift),
        requantize(c, s, lo, codeMagic(), shift),
        requantize(d, s, lo, codeMagic(), shift),
        hi,
      );
      if (cols >= 4) {
        v128.store32_lane(to, q, 0);
        v128.store32_lane(to + channels, q, 1);
        v128.store32_lane(to + 2 * channels, q, 2);
        v128.store32_lane(to + 3 * channels, q, 3);
      } else {
        storeBytes8(to, i32x4.extract_lane(q, 0), cols);
        storeBytes8(to + channels, i32x4.extract_lane(q, 1), cols);
        storeBytes8(to + 2 * channels, i32x4.extract_lane(q, 2), cols);
        storeBytes8(to + 3 * channels, i32x4.extract_lane(q, 3), cols);
      }
    }
  }
}

/** Eight channels of pixels that make no four. */
function multiplyOnes(
  y: usize,
  ldy: usize,
  channels: usize,
  cols: i32,
  rows: i32,
  pixels: i32,
  x: usize,
  ldx: usize,
  table: usize,
  singles: usize,
  last: usize,
  w: usize,
  offset: usize,
  scale: usize,
  lo: v128,
  hi: v128,
  shift: v128,
): void {
  for (; rows > 0; rows--, x += ldx, y += ldy) {
    let to = y;
    let pixel = x;
    for (let n = pixels; n > 0; n--, pixel += 32, to += channels) {
      let a = v128.load(offset);
      let b = v128.load(offset, 16);
      let from = w;
      let t = table;
      for (; t < singles; t += 4, from += 96) {
        const at = pixel + load<i32>(t);
        a = multiplyAdd(a, v128.load(at), v128.load(from));
        b = multiplyAdd(b, v128.load(at, 16), v128.load(from, 16));
        a = multiplyAdd(a, v128.load(at, 32), v128.load(from, 32));
        b = multiplyAdd(b, v128.load(at, 48), v128.load(from, 48));
        a = multiplyAdd(a, v128.load(at, 64), v128.load(from, 64));
        b = multiplyAdd(b, v128.load(at, 80), v128.load(from, 80));
      }
      for (; t < last; t += 4, from += 32) {
        const at = pixel + load<i32>(t);
        a = multiplyAdd(a, v128.load(at), v128.load(from));
        b = multiplyAdd(b, v128.load(at, 16), v128.load(from, 16));
      }
      a = requantize(a, v128.load(scale), lo, codeMagic(), shift);
      b = requantize(b, v128.load(scale, 16), lo, codeMagic(), shift);
      storeBytes8(to, i64x2.extract_lane(narrow(a, b, a, b, hi), 0), cols);
    }
  }
}
