// Rows of tables of codes, as floats, from the panels that linear layers multiply: an embedding and a head share them.

import { blockBytes } from "../blocks/sizes";
import { COLUMNS, GROUP_SIZE, groupBytes } from "../int4/sizes";
import { BYTES, GROUP, RELAXED, STEP } from "../int8/panels";
import { BESIDE, panelBytes } from "../int8/sizes";

/** The row that an index picks: a negative one counts from the end, and one outside picks the first or the last. */
function rowOf(indices: usize, i: i32, extent: i32): i32 {
  const index = load<i32>(indices + ((<usize>i) << 2));
  return min(extent - 1, max(0, index < 0 ? index + extent : index));
}

/**
 * y[i][c] = f32(w[indices[i]][c]) · scale[indices[i]]. Range: i.
 *
 * y f32 [count][k], indices i32 [count], w panels of packInPlaceInt8 of `extent` rows, scale f32 [extent].
 */
export function gatherInt8(
  y: usize,
  w: usize,
  scale: usize,
  indices: usize,
  extent: i32,
  k: i32,
  begin: i32,
  end: i32,
): void {
  const block = <usize>(panelBytes(k) << 2);
  for (let i = begin; i < end; i++) {
    const r = rowOf(indices, i, extent);
    const by = load<f32>(scale + ((<usize>r) << 2));
    const column = r & 7;
    const lane = BYTES ? column * GROUP : ((column & 3) << 2) + (column >> 2);
    let from = w + <usize>(r >> 5) * block + <usize>(((r >> 3) & 3) * STEP + lane);
    const flip: i32 = !BYTES && column < 4 ? 128 : 0;
    let to = y + ((<usize>i * k) << 2);
    for (let c = 0; c < k; c += GROUP, from += STEP * BESIDE)
      for (let j = 0, last = min(GROUP, k - c); j < last; j++, to += 4) {
        const code = load<u8>(from + (BYTES ? j : j << 1)) ^ flip;
        store<f32>(to, <f32>(<i32>(<i8>code)) * by);
      }
  }
}

/**
 * y[i][c] = f32(s · q − t) · scale of row indices[i]. Range: i.
 *
 * As gatherInt8, of w from packInt4.
 */
export function gatherInt4(
  y: usize,
  w: usize,
  scale: usize,
  indices: usize,
  extent: i32,
  k: i32,
  hasOffsets: i32,
  begin: i32,
  end: i32,
): void {
  const bytes = <usize>groupBytes(hasOffsets);
  const groups = k / GROUP_SIZE;
  for (let i = begin; i < end; i++) {
    const r = rowOf(indices, i, extent);
    const by = load<f32>(scale + ((<usize>r) << 2));
    const lane = r % COLUMNS;
    let from = w + <usize>(r / COLUMNS) * <usize>groups * bytes;
    let to = y + ((<usize>i * k) << 2);
    for (let g = 0; g < groups; g++, from += bytes) {
      const s = <i32>load<i8>(from + lane);
      const t = hasOffsets ? <i32>load<i16>(from + 16 + ((<usize>lane) << 1)) : 0;
      const codes = from + (hasOffsets ? 48 : 16) + ((lane & 3) << 2);
      if (RELAXED) {
        for (let c = 0, at = codes + ((lane >> 3) << 4); c < GROUP_SIZE; c++, to += 4) {
          const q = ((<i32>load<u8>(at + ((c >> 2) << 5) + (c & 3)) >> (lane & 4)) & 15) - 8;
          store<f32>(to, <f32>(s * q - t) * by);
        }
        continue;
      }
      for (let c = 0, own = codes + ((lane >> 2) << 6); c < 4; c++, to += 32)
        for (let j = 0; j < 4; j++) {
          const both = <i32>load<u8>(own + (c << 4) + j) ^ (j & 1 ? 128 : 0);
          const at = to + (j << 2);
          store<f32>(at, <f32>(s * ((both & 15) - 8) - t) * by);
          store<f32>(at, <f32>(s * ((both >> 4) - 8) - t) * by, 16);
        }
    }
  }
}

/**
 * y[i][c] = f32(q · d) − m of row indices[i], rounded twice. Range: i.
 *
 * As gatherInt8, of w from packBlocks.
 */
export function gatherBlocks(
  y: usize,
  w: usize,
  indices: usize,
  extent: i32,
  k: i32,
  size: i32,
  hasOffsets: i32,
  begin: i32,
  end: i32,
): void {
  const bytes = <usize>blockBytes(size, hasOffsets);
  const blocks = k / size;
  for (let i = begin; i < end; i++) {
    const r = rowOf(indices, i, extent);
    const lane = <usize>(r % COLUMNS);
    let from = w + <usize>(r / COLUMNS) * <usize>blocks * bytes;
    let to = y + ((<usize>i * k) << 2);
    for (let g = 0; g < blocks; g++, from += bytes) {
      const d = load<f32>(from + (lane << 2));
      const m: f32 = hasOffsets ? load<f32>(from + (lane << 2), 96) : 0;
      let codes = from + (hasOffsets ? 160 : 96) + (lane >> 2) * <usize>(size << 2) + ((lane & 3) << 2);
      for (let c = 0; c < size; c += 4, codes += 16, to += 16)
        for (let j = 0; j < 4; j++) store<f32>(to + (j << 2), <f32>(<i32>load<i8>(codes + j)) * d - m);
    }
  }
}
