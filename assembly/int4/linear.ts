// Linear layers over 4-bit weights in groups, for any number of rows. The range is over columns.

import { RELAXED } from "../int8/panels";
import { Epilogue } from "../int8/sizes";
import { storeWords } from "../lanes/simd";
import { BLOCK_ROWS } from "../linear/sizes";
import { tileWide } from "../linear/tile-wide";
import {
  openNibbles,
  packRowBytes,
  packTileBytes,
  rowNibbles,
  TILE_GROUP,
  TILE_ROWS,
  tileNibbles,
  tileOffsets,
} from "./bytes";
import {
  COLUMNS,
  GROUP_SIZE,
  groupBytes,
  OPEN_DEPTH,
  ownRowBytes,
  rowsBytes,
  SUMS_BYTES,
  segmentDepth,
  segmentsOf,
} from "./sizes";
import { openPairs, packRowWide, packTilePairs, rowWide } from "./wide";

/** Rows of a tile of this class, and most that go one by one. */
const ROWS: i32 = RELAXED ? TILE_ROWS : 4;
const LONE: i32 = 3;
/** Bytes from one row of sums to the next. */
const SUMS_ROW: usize = 64;

/**
 * to = x, u8 [rows][k], rows ldx apart, as linearInt4 multiplies it. Range: rows; a tile is packed with its first row.
 *
 * Layers that read the same codes share it, and so do threads.
 */
export function packRowsInt4(to: usize, x: usize, ldx: i32, rows: i32, k: i32, begin: i32, end: i32): void {
  for (let r = begin; r < end; r++) {
    const i = r % BLOCK_ROWS;
    const tiled = tiledOf(min(BLOCK_ROWS, rows - r + i));
    const block = to + <usize>((r / BLOCK_ROWS) * rowsBytes(BLOCK_ROWS, k));
    const from = x + <usize>(r * ldx);
    if (i >= tiled) {
      const own = lonesOf(block, tiled, k) + <usize>((i - tiled) * ownRowBytes(k));
      if (RELAXED) packRowBytes(own, from, k);
      else packRowWide(own, from, k);
    } else if (i % ROWS == 0) {
      const tile = block + <usize>(i / ROWS) * tileSize(k);
      const last = from + <usize>((tiled - 1 - i) * ldx);
      if (RELAXED) packTileBytes(tile, from, ldx, last, k);
      else packTilePairs(tile, from, ldx, last, k);
    }
  }
}

/** Where rows by themselves are, behind the tiles of a block. */
function lonesOf(block: usize, tiled: i32, k: i32): usize {
  return block + <usize>((tiled + ROWS - 1) / ROWS) * tileSize(k);
}

/** How many of a block's rows go in tiles. */
function tiledOf(rows: i32): i32 {
  const left = rows % ROWS;
  return left <= LONE ? rows - left : rows;
}

/**
 * y[r][c] = clamp(v · f32(xScale[r] · scale[c]) + bias[c], lo, hi)   v = f32(Σ_k x[r][k] · w[k][c] − xZero[r] · colsum[c])
 *
 * w = s · q − t, of packInt4, which gives colsum. Of several segments v is the sum of theirs, in f32, ascending. y f32 [rows][n], rows
 * ldy elements apart; x from packRowsInt4. scale f32 [n], bias f32 [n] or 0. xScale f32 and xZero i32: one, or one a row,
 * as the epilogue of DEQUANTIZE says. Range: panels of 16 columns. y overlaps nothing.
 */
export function linearInt4(
  y: usize,
  ldy: i32,
  x: usize,
  w: usize,
  colsum: usize,
  scale: usize,
  bias: usize,
  xScale: usize,
  xZero: usize,
  scratch: usize,
  rows: i32,
  n: i32,
  k: i32,
  hasOffsets: i32,
  epilogue: usize,
  begin: i32,
  end: i32,
): void {
  const how = changetype<Epilogue>(epilogue);
  const step = (<usize>how.rowStride) << 2;
  const row = (<usize>ldy) << 2;
  const bytes = <usize>groupBytes(hasOffsets);
  const panel = <usize>(k / GROUP_SIZE) * bytes;
  const segment = segmentDepth(k) / GROUP_SIZE;
  const segments = segmentsOf(k);
  const columns = <usize>(((n + COLUMNS - 1) / COLUMNS) * COLUMNS);
  const sums = scratch;
  const totals = scratch + SUMS_BYTES;
  const open = totals + SUMS_BYTES;
  for (let r = 0; r < rows; r += BLOCK_ROWS, x += rowsBytes(BLOCK_ROWS, k)) {
    const count = min(BLOCK_ROWS, rows - r);
    const tiled = tiledOf(count);
    const own = lonesOf(x, tiled, k);
    const at = <usize>r * step;
    // All panels at once: a call for each takes a tenth of the time of a row's products. Where k is 0, the loop below runs no segment.
    memory.fill(totals, 0, <usize>count * SUMS_ROW);
    for (let p = begin; p < end; p++) {
      for (let s = 0; s < segments; s++) {
        const first = s * segment;
        const groups = min(segment, k / GROUP_SIZE - first);
        const from = w + <usize>p * panel + <usize>first * bytes;
        if (tiled > 0) multiplyTiles(sums, x, open, from, tiled, k, first, groups, bytes, hasOffsets);
        for (let i = tiled, lone = own; i < count; i++, lone += ownRowBytes(k))
          multiplyRow(sums + <usize>i * SUMS_ROW, lone, from, k, first, groups, hasOffsets);
        const weights = colsum + ((<usize>s * columns + <usize>(p * COLUMNS)) << 2);
        addSegment(totals, sums, weights, count, xZero + at, step, s > 0);
      }
      const c = p * COLUMNS;
      const to = y + <usize>r * row + ((<usize>c) << 2);
      const by = (<usize>c) << 2;
      finish(
        to,
        row,
        totals,
        count,
        min(COLUMNS, n - c),
        scale + by,
        bias ? bias + by : 0,
        xScale + at,
        step,
        how,
      );
    }
  }
}

function tileSize(k: i32): usize {
  return RELAXED ? <usize>((k / GROUP_SIZE) * TILE_GROUP) : (<usize>k) << 3;
}

function multiplyRow(y: usize, x: usize, w: usize, k: i32, first: i32, groups: i32, hasOffsets: i32): void {
  const from = <usize>(first * GROUP_SIZE);
  const own = (<usize>first) << 3;
  if (RELAXED) rowNibbles(y, x + from, x + <usize>k + own, w, groups, hasOffsets);
  else rowWide(y, x + (from << 1), x + ((<usize>k) << 1) + own, w, groups, hasOffsets);
}

/** The sums of a block's tiles over `groups` of a panel. */
function multiplyTiles(
  y: usize,
  x: usize,
  open: usize,
  w: usize,
  rows: i32,
  k: i32,
  first: i32,
  groups: i32,
  bytes: usize,
  hasOffsets: i32,
): void {
  const tile = tileSize(k);
  if (RELAXED) {
    memory.fill(y, 0, <usize>(rows + TILE_ROWS) * SUMS_ROW);
    x += <usize>(first * TILE_GROUP);
    for (let g = 0; g < groups; g++, w += bytes, x += TILE_GROUP) {
      openNibbles(open, w, hasOffsets);
      for (let r = 0, to = y, from = x; r < rows; r += TILE_ROWS, to += SUMS_ROW * TILE_ROWS, from += tile) {
        tileNibbles(to, from, open, 0);
        tileNibbles(to, from, open, 1);
        if (hasOffsets) tileOffsets(to, from, w);
      }
    }
    return;
  }
  const last = y + <usize>(rows - 1) * SUMS_ROW;
  const most = OPEN_DEPTH / GROUP_SIZE;
  for (let g = 0; g < groups; g += most) {
    const count = min(most, groups - g);
    const depth = count * GROUP_SIZE;
    for (let half = 0; half < 2; half++) {
      openPairs(open, w + <usize>g * bytes, count, bytes, half, hasOffsets);
      const skip = (<usize>half) << 5;
      let from = x + ((<usize>((first + g) * GROUP_SIZE)) << 3);
      for (let r = 0, to = y + skip; r < rows; r += ROWS, to += SUMS_ROW * ROWS, from += tile)
        tileWide(to, SUMS_ROW, last + skip, 8, from, open, depth, g > 0);
    }
  }
}

/** totals[r][c] = f32(sums[r][c] − xZero[r] · colsum[c]), or that much more, 16 columns. */
function addSegment(
  totals: usize,
  sums: usize,
  colsum: usize,
  rows: i32,
  xZero: usize,
  step: usize,
  adds: bool,
): void {
  for (; rows > 0; rows--, totals += SUMS_ROW, sums += SUMS_ROW, xZero += step) {
    const zero = i32x4.splat(load<i32>(xZero) - (RELAXED ? 128 : 0));
    for (let i = 0; i < 64; i += 16) {
      const sum = f32x4.convert_i32x4_s(
        i32x4.sub(v128.load(sums + i), i32x4.mul(zero, v128.load(colsum + i))),
      );
      v128.store(totals + i, adds ? f32x4.add(v128.load(totals + i), sum) : sum);
    }
  }
}

function finish(
  y: usize,
  ldy: usize,
  totals: usize,
  rows: i32,
  cols: i32,
  scale: usize,
  bias: usize,
  xScale: usize,
  step: usize,
  how: Epilogue,
): void {
  const low = f32x4.splat(how.lo);
  const high = f32x4.splat(how.hi);
  for (; rows > 0; rows--, y += ldy, totals += SUMS_ROW, xScale += step) {
    const by = v128.load32_splat(xScale);
    for (let c = 0; c < cols; c += 4) {
      const at = (<usize>c) << 2;
      let v = f32x4.mul(v128.load(totals + at), f32x4.mul(by, v128.load(scale + at)));
      v = f32x4.add(v, bias ? v128.load(bias + at) : f32x4.splat(0));
      storeWords(y + at, f32x4.min(f32x4.max(v, low), high), cols - c);
    }
  }
}
