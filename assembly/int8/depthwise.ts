// int8 depthwise convolution.
//
// The rows under some output rows are zipped into scratch, G at a time (4 relaxed, else 2), so that one dot adds G
// taps of a channel, and no column is widened or zipped again for the next pixel that meets it. The padding is zipped
// like the image, from zero-point codes: the products know no borders.
//
//   scratch   | xZero × 16 | offsets of the window's columns, i32 | plane 0 | plane 1 | …
//   plane     | run 0 | run 1 | …      G rows; a run has what one column of the window meets, pixel after pixel
//   column    | G rows of channel 0 | … of channel 7 |      32 bytes: codes, widened to 16 bits where G is 2

import { zipHigh16, zipLow8, zipLow16 } from "../lanes/simd";
import { firstTap, lastTap } from "../lanes/taps";
import { Window } from "../lanes/window";
import { shiftOfRows, tripleColumns } from "./depthwise-panels";
import { multiplyFours, multiplyOnes } from "./depthwise-pixels";
import { codeShift } from "./epilogue";
import { GROUP, RELAXED } from "./panels";
import {
  depthwisePanelBytes,
  Epilogue,
  groupsOf,
  periodOf,
  pitchOf,
  planeBytes,
  reachOf,
  SEGMENT,
  tableBytes,
  turnRows,
  turnsAtOnce,
} from "./sizes";

/**
 * y[p][c] = clamp(rne(f32(Σ_t x[pixel(p, t)][c] · w[c][t] + offset[c]) · scale[c]) + zero, lo, hi)
 *
 * x u8 [batch][inH][inW][channels], y u8 [batch][outH][outW][channels]: the window's, whose cin they are, both dense. w and
 * offset from packDepthwiseInt8 with the same window; zero, lo and hi are the epilogue's. Range: rows of output, batch · outH.
 * y overlaps nothing.
 */
export function depthwiseInt8(
  y: usize,
  x: usize,
  w: usize,
  offset: usize,
  scale: usize,
  scratch: usize,
  window: usize,
  epilogue: usize,
  begin: i32,
  end: i32,
): void {
  const slide = changetype<Window>(window);
  const how = changetype<Epilogue>(epilogue);
  const low = f32x4.splat(how.lo - how.zero);
  const high = i8x16.splat(<i8>how.hi);
  const shift = codeShift(<i32>how.zero);
  const outside = slide.outside;
  const blank = RELAXED ? i8x16.splat(<i8>(outside ^ shiftOfRows())) : i16x8.splat(<i16>outside);
  v128.store(scratch, i8x16.splat(<i8>outside));

  const inH = slide.inH;
  const inW = slide.inW;
  const channels = slide.cin;
  const outH = slide.outH;
  const outW = slide.outW;
  const kw = slide.kw;
  const strideH = slide.strideH;
  const strideW = slide.strideW;
  const dilationH = slide.dilationH;
  const dilationW = slide.dilationW;

  const groups = groupsOf(slide, GROUP);
  const turn = turnRows(slide, GROUP);
  const advance = turn * strideH;
  // The rows of a turn's second group may be those of a later turn's first.
  const later = reachOf(slide, GROUP);
  const shared = later > 0;
  const planesOfTurn = shared ? 1 : groups;
  const reach = max(1, later);

  const period = periodOf(slide);
  const runs = min(period, kw);
  const width = min(outW, SEGMENT);
  const pitch = pitchOf(slide);
  const plane = planeBytes(slide);
  const triples = tripleColumns(kw, period);
  const table = scratch + 16;
  const singles = table + (((groups * triples) / 3) << 2);
  const last = singles + ((groups * (kw - triples)) << 2);
  for (let g = 0, at = table; g < groups; g++)
    for (let j = 0; j < triples; j += 3, at += 4) store<i32>(at, g * reach * plane + (j << 5));
  for (let g = 0, at = singles; g < groups; g++)
    for (let j = triples; j < kw; j++, at += 4)
      store<i32>(at, g * reach * plane + (j % period) * pitch + ((j / period) << 5));
  const planes = table + tableBytes(slide, GROUP);

  const panel = depthwisePanelBytes(slide, GROUP);
  const line = outW * channels;
  const most = turnsAtOnce(slide, GROUP) * turn;
  y += <usize>(begin * line);
  for (let p = begin, rows = 0; p < end; p += rows, y += <usize>(rows * line)) {
    const oy = p % outH;
    rows = min(min(most, outH - oy), end - p);
    const turns = (rows + turn - 1) / turn + (shared ? (groups - 1) * reach : 0);
    const image = x + <usize>((p / outH) * inH * inW * channels);
    const top = oy * strideH - slide.padTop;
    for (let ox = 0; ox < outW; ox += width) {
      const pixels = min(width, outW - ox);
      const fours = pixels & ~3;
      const columns = pixels + (kw - 1) / period;
      const start = ox * strideW - slide.padLeft;
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
