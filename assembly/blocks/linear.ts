// Linear layers over weights in blocks with float scales, for any number of rows. The range is over columns. A row's result is the sum of
// its blocks in ascending order, so it does not depend on rows beside it.

import { multiplyAdd16, multiplyAddLow8 } from "../int8/multiply-add";
import { RELAXED, shiftOfCodes } from "../int8/panels";
import { Epilogue } from "../int8/sizes";
import { packRow8 } from "../int8/tile-dot8";
import { storeWords } from "../lanes/simd";
import { BLOCK_ROWS } from "../linear/sizes";
import { blockBytes, blockRowBytes, COLUMNS, OPEN, SCALES, TOTALS } from "./sizes";
import { openBlock, packTileBlocks, TILE_ROWS, tileBlock, tileLess, tileOfBlocks } from "./tiles";

/**
 * y[r][c] = clamp(v + bias[c], lo, hi)   v = Σ_g f32(Σ_k x · q) · f32(xScale[r] · d[c][g]) − f32(Σ_k x) · f32(xScale[r] · m[c][g])
 *
 * x less xZero[r]; g ascending, each product, sum and difference rounded to f32. y f32 [rows][n], rows ldy elements apart; x u8
 * [rows][k], rows ldx apart. w from packBlocks. bias f32 [n] or 0. xScale f32 and xZero i32: one, or one a row, as the epilogue of
 * DEQUANTIZE says. Range: panels of 16 columns. y overlaps nothing.
 */
export function linearBlocks(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  bias: usize,
  xScale: usize,
  xZero: usize,
  scratch: usize,
  rows: i32,
  n: i32,
  k: i32,
  size: i32,
  hasOffsets: i32,
  epilogue: usize,
  begin: i32,
  end: i32,
): void {
  const how = changetype<Epilogue>(epilogue);
  const low = f32x4.splat(how.lo);
  const high = f32x4.splat(how.hi);
  const step = (<usize>how.rowStride) << 2;
  const row = (<usize>ldy) << 2;
  const panel = <usize>(k / size) * <usize>blockBytes(size, hasOffsets);
  for (let r = 0; r < rows; r += BLOCK_ROWS) {
    const count = min(BLOCK_ROWS, rows - r);
    const at = <usize>r * step;
    const isTiled = !RELAXED && count >= TILE_ROWS;
    const block = scratch + TOTALS;
    packRows(block, x + <usize>r * ldx, ldx, count, isTiled, xZero + at, step, k, size);
    if (isTiled)
      for (let i = 0; i < count + TILE_ROWS; i++)
        store<f32>(
          scratch + SCALES + ((<usize>i) << 2),
          load<f32>(xScale + at + step * <usize>min(i, count - 1)),
        );
    for (let p = begin; p < end; p++) {
      const c = p * COLUMNS;
      const cols = min(COLUMNS, n - c);
      const from = w + <usize>p * panel;
      const add = bias ? bias + ((<usize>c) << 2) : 0;
      const to = y + <usize>r * row + ((<usize>c) << 2);
      if (isTiled) multiplyTiles(scratch, block, from, count, k, size, hasOffsets);
      else {
        const own = <usize>blockRowBytes(k, size);
        for (let i = 0, packed = block; i < count; i++, packed += own) {
          const its = at + <usize>i * step;
          const by = v128.load32_splat(xScale + its);
          multiplyRow(
            scratch + <usize>(i << 6),
            packed,
            from,
            by,
            load<i32>(xZero + its),
            k,
            size,
            hasOffsets,
          );
        }
      }
      for (let i = 0; i < count; i++)
        finish(to + <usize>i * row, scratch + <usize>(i << 6), cols, add, low, high);
    }
  }
}

/** y = clamp(v + bias, lo, hi) of a row of totals. */
function finish(y: usize, totals: usize, cols: i32, bias: usize, low: v128, high: v128): void {
  for (let c = 0; c < cols; c += 4) {
    const at = (<usize>c) << 2;
    const v = f32x4.add(v128.load(totals + at), bias ? v128.load(bias + at) : f32x4.splat(0));
    storeWords(y + at, f32x4.min(f32x4.max(v, low), high), cols - c);
  }
}

/** Rows of codes, in tiles or each by itself. */
function packRows(
  to: usize,
  x: usize,
  ldx: usize,
  rows: i32,
  isTiled: bool,
  xZero: usize,
  step: usize,
  k: i32,
  size: i32,
): void {
  if (isTiled) {
    for (let i = 0; i < rows; i += TILE_ROWS, to += tileOfBlocks(k, size))
      packTileBlocks(
        to,
        x + <usize>i * ldx,
        ldx,
        min(TILE_ROWS, rows - i),
        xZero + <usize>i * step,
        step,
        k,
        size,
      );
  } else {
    for (let i = 0; i < rows; i++, to += blockRowBytes(k, size))
      packRow(to, x + <usize>i * ldx, load<i32>(xZero + <usize>i * step), k, size);
  }
}

/** Totals of all tiles against a panel. */
function multiplyTiles(
  totals: usize,
  x: usize,
  w: usize,
  rows: i32,
  k: i32,
  size: i32,
  hasOffsets: i32,
): void {
  const open = totals + OPEN;
  const tile = tileOfBlocks(k, size);
  const head: usize = hasOffsets ? 160 : 96;
  memory.fill(totals, 0, <usize>((rows + TILE_ROWS) << 6));
  let sums = (<usize>k) << 3;
  for (
    let g = 0;
    g < k;
    g += size, w += blockBytes(size, hasOffsets), x += size << 3, sums += 16 - (size << 3)
  ) {
    openBlock(open, w + head, size);
    let by = totals + SCALES;
    for (
      let r = 0, to = totals, from = x;
      r < rows;
      r += TILE_ROWS, to += TILE_ROWS << 6, from += tile, by += 16
    ) {
      tileBlock(to, from, open, w, by, size);
      tileBlock(to + 32, from, open + 32, w + 32, by, size);
      if (hasOffsets) tileLess(to, from + sums, w + 96, by);
    }
  }
}

/** Bytes of the codes of a row, before the sums of its blocks. */
function codesBytes(k: i32): usize {
  return RELAXED ? <usize>((k + 15) & ~15) : (<usize>k) << 1;
}

/** A row as this class multiplies it: bytes as it reads them, or x − zero as i16, k = 0, 2, 1, 3 of four; and Σ x − zero of blocks, f32. */
function packRow(to: usize, x: usize, zero: i32, k: i32, size: i32): void {
  let sums = to + codesBytes(k);
  if (RELAXED) {
    const from = packRow8(to, x, k);
    if (from != to) memory.copy(to, from, k);
  }
  const less = i16x8.splat(<i16>zero);
  for (let g = 0; g < k; g += size, sums += 4) {
    let sum = i32x4.splat(0);
    for (let i = 0; i < size; i += 8, x += 8) {
      const v = i16x8.sub(v128.load8x8_u(x), less);
      sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(v));
      if (RELAXED) continue;
      v128.store(to, i16x8.shuffle(v, v, 0, 2, 1, 3, 4, 6, 5, 7));
      to += 16;
    }
    sum = i32x4.add(sum, i32x4.shuffle(sum, sum, 2, 3, 0, 1));
    sum = i32x4.add(sum, i32x4.shuffle(sum, sum, 1, 0, 3, 2));
    store<f32>(sums, <f32>i32x4.extract_lane(sum, 0));
  }
}

/** c += Σ of four k of four columns. */
function chunk(c: v128, w: v128, x0: v128, x1: v128): v128 {
  if (RELAXED) return multiplyAddLow8(c, w, x0);
  c = multiplyAdd16(c, i16x8.shr_s(i16x8.shl(w, 8), 8), x0);
  return multiplyAdd16(c, i16x8.shr_s(w, 8), x1);
}

/** t + f32(c) · f32(x · d) */
function scaled(t: v128, c: v128, by: v128, d: v128): v128 {
  return f32x4.add(t, f32x4.mul(f32x4.convert_i32x4_s(c), f32x4.mul(by, d)));
}

/** t − x · f32(by · m) */
function less(t: v128, x: v128, by: v128, m: v128): v128 {
  return f32x4.sub(t, f32x4.mul(x, f32x4.mul(by, m)));
}

/** Totals of one row × 16 columns. */
function multiplyRow(
  y: usize,
  x: usize,
  w: usize,
  by: v128,
  zero: i32,
  k: i32,
  size: i32,
  hasOffsets: i32,
): void {
  let t0 = f32x4.splat(0);
  let t1 = t0;
  let t2 = t0;
  let t3 = t0;
  const quad = (<usize>size) << 2;
  const step: usize = RELAXED ? 4 : 8;
  const length = <usize>size * (step >> 2);
  const correction = i32x4.splat(zero - shiftOfCodes());
  let sums = x + codesBytes(k);
  for (const end = x + ((<usize>k * step) >> 2); x < end; sums += 4) {
    const head = w;
    w += hasOffsets ? 160 : 96;
    let c0 = i32x4.splat(0);
    let c1 = c0;
    let c2 = c0;
    let c3 = c0;
    if (RELAXED) {
      const near = v128.load(head, 64);
      const far = v128.load(head, 80);
      c0 = i32x4.neg(i32x4.mul(correction, i32x4.extend_low_i16x8_s(near)));
      c1 = i32x4.neg(i32x4.mul(correction, i32x4.extend_high_i16x8_s(near)));
      c2 = i32x4.neg(i32x4.mul(correction, i32x4.extend_low_i16x8_s(far)));
      c3 = i32x4.neg(i32x4.mul(correction, i32x4.extend_high_i16x8_s(far)));
    }
    const w2 = w + (quad << 1);
    for (const stop = x + length; x < stop; x += step, w += 16) {
      const x0 = v128.load32_splat(x);
      const x1 = RELAXED ? x0 : v128.load32_splat(x, 4);
      c0 = chunk(c0, v128.load(w), x0, x1);
      c1 = chunk(c1, v128.load(w + quad), x0, x1);
      const v = w + (quad << 1);
      c2 = chunk(c2, v128.load(v), x0, x1);
      c3 = chunk(c3, v128.load(v + quad), x0, x1);
    }
    w = w2 + (quad << 1);
    t0 = scaled(t0, c0, by, v128.load(head));
    t1 = scaled(t1, c1, by, v128.load(head, 16));
    t2 = scaled(t2, c2, by, v128.load(head, 32));
    t3 = scaled(t3, c3, by, v128.load(head, 48));
    if (hasOffsets) {
      const sum = v128.load32_splat(sums);
      t0 = less(t0, sum, by, v128.load(head, 96));
      t1 = less(t1, sum, by, v128.load(head, 112));
      t2 = less(t2, sum, by, v128.load(head, 128));
      t3 = less(t3, sum, by, v128.load(head, 144));
    }
  }
  v128.store(y, t0);
  v128.store(y, t1, 16);
  v128.store(y, t2, 32);
  v128.store(y, t3, 48);
}
