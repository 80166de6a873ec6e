// Integer scales of groups of weights of 4 bits: w = R[row]·s·q with q in −8..7 and s in −127..127, whose sign lets the larger end
// of a group use −8. Every s is tried; the one with the least error, weighted by what the inputs are on the mean, is kept.

import { SMALLEST_SCALE } from "../int8/sizes";
import { sum4 } from "../lanes/lanes";

/** Largest integer scale. */
const MOST: i32 = 127;

/** The largest |w| of n weights, n a multiple of 4. */
function sizeOf(w: usize, n: i32): f32 {
  let m = f32x4.splat(0);
  for (const stop = w + ((<usize>n) << 2); w < stop; w += 16) m = f32x4.pmax(m, f32x4.abs(v128.load(w)));
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 2, 3, 0, 1));
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 1, 0, 3, 2));
  return f32x4.extract_lane(m, 0);
}

/** Weighted squares of what rounding leaves, in units of a scale: lane 0 for codes in lo..hi, lane 1 for codes in −hi..−lo. */
function errorsOf(w: usize, weight: usize, size: i32, reciprocal: f32, lo: v128, hi: v128): v128 {
  const r = f32x4.splat(reciprocal);
  const low = f32x4.neg(hi);
  const high = f32x4.neg(lo);
  let plus = f32x4.splat(0);
  let minus = plus;
  for (const stop = w + ((<usize>size) << 2); w < stop; w += 16, weight += 16) {
    const x = f32x4.mul(v128.load(w), r);
    const q = f32x4.nearest(x);
    const i = v128.load(weight);
    let d = f32x4.sub(x, f32x4.pmin(hi, f32x4.pmax(lo, q)));
    plus = f32x4.add(plus, f32x4.mul(i, f32x4.mul(d, d)));
    d = f32x4.sub(x, f32x4.pmin(high, f32x4.pmax(low, q)));
    minus = f32x4.add(minus, f32x4.mul(i, f32x4.mul(d, d)));
  }
  return f32x4.replace_lane(f32x4.splat(sum4(plus)), 1, sum4(minus));
}

/** The integer scale of a group with the least error; of equals the smaller, and the positive one. */
function scaleOf(w: usize, weight: usize, size: i32, unit: f32, lo: v128, hi: v128): i32 {
  const most = sizeOf(w, size);
  let best = 0;
  let least: f32 = Infinity;
  for (let s = 1; s <= MOST; s++) {
    const scale = unit * <f32>s;
    // From here on all codes are 0.
    if (scale > most + most && best != 0) break;
    const errors = errorsOf(w, weight, size, <f32>1 / scale, lo, hi);
    const area = scale * scale;
    const plus = f32x4.extract_lane(errors, 0) * area;
    const minus = f32x4.extract_lane(errors, 1) * area;
    if (plus < least) {
      least = plus;
      best = s;
    }
    if (minus < least) {
      least = minus;
      best = -s;
    }
  }
  return best;
}

/**
 * unit[row] = max|w[row][·]| / (reach · 127), and the integer scale of each group: of s in −127..127 the one for which
 * Σ weight·(w − unit·s·q)², q = clamp(rne(w / (unit·s)), −8, 7), is least. Range: rows.
 *
 * scales i8 [rows][groups], unit f32 [rows], w f32 [rows][k], weight f32 [k], k in groups of `size`, both multiples of 4. A row of
 * zeros has unit 1 and scales 0. `reach` is the code that the largest weight of a row has at scale 127.
 */
export function searchScales(
  scales: usize,
  units: usize,
  w: usize,
  weight: usize,
  k: i32,
  size: i32,
  reach: f32,
  begin: i32,
  end: i32,
): void {
  const groups = k / size;
  const lo = f32x4.splat(-8);
  const hi = f32x4.splat(7);
  for (let row = begin; row < end; row++) {
    const from = w + ((<usize>row * <usize>k) << 2);
    const unit = sizeOf(from, k) / (reach * <f32>MOST);
    const isZero = unit < SMALLEST_SCALE;
    store<f32>(units + ((<usize>row) << 2), isZero ? 1 : unit);
    for (let g = 0; g < groups; g++) {
      const at = (<usize>(g * size)) << 2;
      const s = isZero ? 0 : scaleOf(from + at, weight + at, size, unit, lo, hi);
      store<i8>(scales + (<usize>row * <usize>groups + <usize>g), <i8>s);
    }
  }
}
