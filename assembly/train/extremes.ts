// The range of values, from which the scales of activations follow while they move. That of all rows is the range of
// their pairs taken as one row.

import { head4 } from "../lanes/lanes";
import { Channels } from "./channels";

/** The first `count` lanes, and the first of them in the others. */
function repeatFirst(v: v128, count: i32): v128 {
  return head4(v, i32x4.shuffle(v, v, 0, 0, 0, 0), count);
}

/** Writes the least lane of `low`, then the largest of `high`. */
function storeExtremes(y: usize, low: v128, high: v128): void {
  low = f32x4.pmin(low, i32x4.shuffle(low, low, 2, 3, 0, 1));
  low = f32x4.pmin(low, i32x4.shuffle(low, low, 1, 0, 3, 2));
  high = f32x4.pmax(high, i32x4.shuffle(high, high, 2, 3, 0, 1));
  high = f32x4.pmax(high, i32x4.shuffle(high, high, 1, 0, 3, 2));
  store<f32>(y, f32x4.extract_lane(low, 0));
  store<f32>(y, f32x4.extract_lane(high, 0), 4);
}

/**
 * y[r] = min x[r], max x[r]. Range: rows.
 *
 * y f32 [rows][2], x f32 [rows][cols], dense. NaN is passed over; of nothing the range is ∞, −∞.
 */
export function extremes(y: usize, x: usize, cols: i32, begin: i32, end: i32): void {
  for (let r = begin; r < end; r++) {
    const from = x + ((<usize>(r * cols)) << 2);
    let low = f32x4.splat(Infinity);
    let high = f32x4.splat(-Infinity);
    for (let i = 0; i < cols; i += 4) {
      let v = v128.load(from + ((<usize>i) << 2));
      if (cols - i < 4) v = repeatFirst(v, cols - i);
      low = f32x4.pmin(low, v);
      high = f32x4.pmax(high, v);
    }
    storeExtremes(y + ((<usize>r) << 3), low, high);
  }
}

/**
 * y[n] = min v, max v of v = min(max(f32(sums[n]) · s[c], lo), hi). Range: samples.
 *
 * y f32 [samples][2], sums i32 [samples][pixels][channels], s f32 [channels]; lo and hi are the activation's bounds.
 * For a sample without elements, y is hi, lo.
 */
export function sumExtremes(
  y: usize,
  sums: usize,
  s: usize,
  pixels: i32,
  channels: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  const count = pixels * channels;
  const above = f32x4.splat(lo);
  const below = f32x4.splat(hi);
  for (let sample = begin; sample < end; sample++) {
    const from = sums + ((<usize>(sample * count)) << 2);
    let low = f32x4.splat(Infinity);
    let high = f32x4.splat(-Infinity);
    let c = 0;
    for (let i = 0; i < count; i += 4) {
      const acc = f32x4.convert_i32x4_s(v128.load(from + ((<usize>i) << 2)));
      let v = f32x4.mul(acc, Channels.load4(s, c, channels));
      if (count - i < 4) v = repeatFirst(v, count - i);
      low = f32x4.pmin(low, v);
      high = f32x4.pmax(high, v);
      c = Channels.after4(c, channels);
    }
    // Clamping keeps order: the extremes of the clamped are the clamped extremes.
    low = f32x4.pmin(f32x4.pmax(low, above), below);
    high = f32x4.pmin(f32x4.pmax(high, above), below);
    storeExtremes(y + ((<usize>sample) << 3), low, high);
  }
}
