// int8 convolution as a matrix product over patches.

import { codeShift } from "./epilogue-int8";
import { multiplyRow, multiplyRows, multiplyTiles, packTile } from "./multiply-int8";
import { blockRows, GROUP, ROWS, rowBytes, TABLE, TILE_STEP, tileBytes, tiledRows } from "./panels-int8";

/** Bytes that say where a patch begins: its image's address, then its top row and left column there, as i32. */
const PLACE: i32 = 12;
/** Bytes of a tile's places. */
const PLACES: i32 = 80;

/**
 * y[p][c] = clamp(rne(f32(Σ_tap Σ_i x[pixel(p, tap)][i] · w[tap][i][c] + offset[c]) · scale[c]) + yZero, lo, hi)
 *
 * x u8 [batch][inH][inW][ldx], of which cin channels count; y u8 [batch][outH][outW][ldy], of which cout are written.
 * w and offset from packWeightsInt8 with kh·kw taps of cin channels. Pixels outside the image read as xZero.
 * Range: rows of output, batch · outH of them. y overlaps nothing.
 *
 * A block of patches is packed into tiles straight from the image, one kernel row (kw · cin codes) of a tile's pixels
 * at a time, and multiplied while in cache; only rows that padding, dilation or ldx break up are gathered before.
 * Where a patch is a pixel (1×1, stride 1, no padding) this is the matrix product of x.
 *
 *   scratch   | table | places | slots, one per row of a tile | a kernel row of xZero | packed tiles |
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
  const low = f32x4.splat(<f32>(lo - yZero));
  const high = f32x4.splat(<f32>(hi - yZero));
  const shift = codeShift(yZero);
  const k = kh * kw * cin;
  const last = end * outW;
  const block = blockRows(last - begin * outW, k);
  const pointwise =
    kh * kw * strideH * strideW == 1 && padTop == 0 && padLeft == 0 && inH == outH && inW == outW;
  const slot = <usize>rowBytes(k) + 16;
  const places = scratch + TABLE;
  const slots = places + PLACES;
  const blank = slots + slot * ROWS;
  const tiles = blank + slot;
  if (!pointwise) fill(blank, xZero, kw * cin);
  for (let p = begin * outW; p < last; p += block) {
    const rows = min(block, last - p);
    const to = y + <usize>p * ldy;
    if (pointwise) {
      const from = x + <usize>p * ldx;
      multiplyRows<u8>(to, ldy, from, ldx, w, offset, scale, scratch, rows, cout, k, low, high, shift);
      continue;
    }
    const tiled = tiledRows(rows);
    for (let r = 0, tile = tiles; r < tiled; r += ROWS, tile += tileBytes(k)) {
      locate(places, x, ldx, inH, inW, outH, outW, strideH, strideW, padTop, padLeft, p + r, tiled - r);
      gatherTile(
        tile,
        scratch,
        places,
        slots,
        slot,
        ldx,
        inH,
        inW,
        cin,
        kh,
        kw,
        dilationH,
        dilationW,
        blank,
        xZero,
      );
    }
    multiplyTiles<u8>(to, ldy, tiles, w, offset, scale, tiled, cout, k, low, high, shift);
    if (tiled == rows) continue;
    locate(places, x, ldx, inH, inW, outH, outW, strideH, strideW, padTop, padLeft, p + tiled, rows - tiled);
    for (let r = tiled, place = places; r < rows; r++, place += PLACE) {
      gatherPatch(slots, place, ldx, inH, inW, cin, kh, kw, dilationH, dilationW, blank, xZero);
      const row = to + <usize>r * ldy;
      multiplyRow<u8>(row, slots, w, offset, scale, tiles, cout, k, 0, (cout + 7) >> 3, low, high, shift);
    }
  }
}

/** Places of a tile's pixels from `pixel` on; the last of `count` is repeated to fill the tile. */
function locate(
  places: usize,
  x: usize,
  ldx: i32,
  inH: i32,
  inW: i32,
  outH: i32,
  outW: i32,
  strideH: i32,
  strideW: i32,
  padTop: i32,
  padLeft: i32,
  pixel: i32,
  count: i32,
): void {
  const row = pixel / outW;
  let ox = pixel % outW;
  let oy = row % outH;
  let image = x + <usize>(row / outH) * inH * inW * ldx;
  for (let i = 0; i < ROWS; i++, places += PLACE) {
    store<usize>(places, image);
    store<i32>(places, oy * strideH - padTop, 4);
    store<i32>(places, ox * strideW - padLeft, 8);
    if (i + 1 >= count || ++ox < outW) continue;
    ox = 0;
    if (++oy < outH) continue;
    oy = 0;
    image += <usize>(inH * inW) * ldx;
  }
}

/** Patches of a tile's pixels, packed kernel row by kernel row from where they lie, if rows are whole groups of k. */
function gatherTile(
  tile: usize,
  table: usize,
  places: usize,
  slots: usize,
  slot: usize,
  ldx: i32,
  inH: i32,
  inW: i32,
  cin: i32,
  kh: i32,
  kw: i32,
  dilationH: i32,
  dilationW: i32,
  blank: usize,
  xZero: i32,
): void {
  const codes = kw * cin;
  if (codes % GROUP != 0) {
    for (let r = 0, to = slots, place = places; r < ROWS; r++, to += slot, place += PLACE) {
      gatherPatch(to, place, ldx, inH, inW, cin, kh, kw, dilationH, dilationW, blank, xZero);
      store<usize>(table + ((<usize>r) << 2), to);
    }
    packTile(tile, table, kh * codes);
    return;
  }
  for (let i = 0; i < kh; i++, tile += codes * TILE_STEP) {
    for (let r = 0, to = slots, place = places; r < ROWS; r++, to += slot, place += PLACE) {
      const row = kernelRow(to, place, i * dilationH, ldx, inH, inW, cin, kw, dilationW, blank, xZero);
      store<usize>(table + ((<usize>r) << 2), row);
    }
    packTile(tile, table, codes);
  }
}

/** One patch, kernel row by kernel row, and up to 15 bytes more. */
function gatherPatch(
  to: usize,
  place: usize,
  ldx: i32,
  inH: i32,
  inW: i32,
  cin: i32,
  kh: i32,
  kw: i32,
  dilationH: i32,
  dilationW: i32,
  blank: usize,
  xZero: i32,
): void {
  for (let i = 0; i < kh; i++, to += kw * cin) {
    const row = kernelRow(to, place, i * dilationH, ldx, inH, inW, cin, kw, dilationW, blank, xZero);
    if (row != to) copy(to, row, kw * cin);
  }
}

/** Where the kw · cin codes lie that a kernel row, `down` pixels below the place, meets: in x, in `blank`, or in `slot`. */
function kernelRow(
  slot: usize,
  place: usize,
  down: i32,
  ldx: i32,
  inH: i32,
  inW: i32,
  cin: i32,
  kw: i32,
  dilationW: i32,
  blank: usize,
  xZero: i32,
): usize {
  const row = load<i32>(place, 4) + down;
  const left = load<i32>(place, 8);
  if (<u32>row >= <u32>inH) return blank;
  const from = load<usize>(place) + <usize>(row * inW) * ldx;
  const contiguous = kw == 1 || (dilationW == 1 && ldx == cin);
  if (contiguous && left >= 0 && left + kw <= inW) return from + <usize>(left * ldx);
  let to = slot;
  for (let j = 0, column = left; j < kw; j++, column += dilationW, to += cin) {
    if (<u32>column >= <u32>inW) fill(to, xZero, cin);
    else copy(to, from + <usize>(column * ldx), cin);
  }
  return slot;
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
