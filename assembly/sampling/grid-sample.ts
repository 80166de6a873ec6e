// Images and volumes read at computed places.

import { BORDER, CUBIC, LINEAR, NEAREST, REFLECTION } from "./sizes";

/** Farther than any pixel: places beyond it are outside, as is NaN. */
const FAR: f32 = 1e9;
/** An index outside of every image. */
const OUTSIDE: i32 = -1;
/** The parameter of cubic convolution, as ONNX has it. */
const A: f32 = -0.75;

/** A place seen in mirrors at lo and hi. */
function reflected(v: f32, lo: f32, hi: f32): f32 {
  const range = hi - lo;
  if (range <= 0) return lo;
  const isBelow = v < lo;
  if (!isBelow && v <= hi) return v;
  const distance = isBelow ? lo - v : v - hi;
  const times = Mathf.floor(distance / range);
  const rest = distance - times * range;
  const isEven = times * 0.5 == Mathf.floor(times * 0.5);
  return isBelow == isEven ? lo + rest : hi - rest;
}

/** The pixel that is at index i of an axis, −1 where there is none. */
function pixelAt(i: i32, size: i32, padding: i32, aligned: i32): i32 {
  if (<u32>i < <u32>size) return i;
  if (padding == BORDER) return max(0, min(i, size - 1));
  if (padding != REFLECTION) return OUTSIDE;
  const end = <f32>size;
  const v = aligned ? reflected(<f32>i, 0, end - 1) : reflected(<f32>i, -0.5, end - 0.5);
  return max(0, min(<i32>v, size - 1));
}

/** Writes pixels and weights, (i32, f32) each, that a place in −1..1 is read of along an axis; gives how many. */
function readAxis(to: usize, place: f32, size: i32, mode: i32, padding: i32, aligned: i32): i32 {
  const n = <f32>size;
  let v = aligned ? ((place + 1) / 2) * (n - 1) : ((place + 1) * n - 1) / 2;
  if (mode == NEAREST) v = nearest<f32>(v);
  const lo: f32 = aligned ? 0 : -0.5;
  const hi: f32 = aligned ? n - 1 : n - 0.5;
  // Also where v is NaN, it is outside.
  if (!(v >= lo && v <= hi)) {
    // Of more than two pixels each is held to the border by itself, as other runtimes have it.
    if (padding == BORDER && v == v && mode != CUBIC) v = max<f32>(0, min<f32>(v, n - 1));
    else if (padding == REFLECTION) v = reflected(v, lo, hi);
  }
  if (!(v > -FAR && v < FAR)) {
    store<i32>(to, OUTSIDE);
    store<f32>(to, 0, 4);
    return 1;
  }
  const base = Mathf.floor(v);
  const first = <i32>base;
  const t: f32 = v - base;
  if (mode == NEAREST) {
    put(to, pixelAt(first, size, padding, aligned), 1);
    return 1;
  }
  if (mode == LINEAR) {
    put(to, pixelAt(first, size, padding, aligned), 1 - t);
    put(to + 8, pixelAt(first + 1, size, padding, aligned), t);
    return 2;
  }
  const s: f32 = <f32>1 - t;
  put(to, pixelAt(first - 1, size, padding, aligned), far(1 + t));
  put(to + 8, pixelAt(first, size, padding, aligned), near(t));
  put(to + 16, pixelAt(first + 1, size, padding, aligned), near(s));
  put(to + 24, pixelAt(first + 2, size, padding, aligned), far(1 + s));
  return 4;
}

function put(to: usize, pixel: i32, weight: f32): void {
  store<i32>(to, pixel);
  store<f32>(to, weight, 4);
}

/** Keys' cubic convolution within a pixel's distance, and within two (Keys 1981, IEEE TASSP 29, eq. 15). */
function near(t: f32): f32 {
  return ((A + 2) * t - (A + 3)) * t * t + 1;
}

function far(t: f32): f32 {
  return ((A * t - 5 * A) * t + 8 * A) * t - 4 * A;
}

/**
 * y[n][c][p] = Σ weights of the pixels around place p of x[n][c], place p as grid[n][p] says: (x, y) or (x, y, z), −1..1 from one end of the
 * image to the other. x [n][channels][depth·height·width], y [n][channels][places]; rank 2, where depth is 1, or 3. Range: all places.
 * scratch: GRID_SCRATCH.
 */
export function gridSample(
  y: usize,
  x: usize,
  grid: usize,
  scratch: usize,
  rank: i32,
  channels: i32,
  depth: i32,
  height: i32,
  width: i32,
  places: i32,
  mode: i32,
  padding: i32,
  aligned: i32,
  begin: i32,
  end: i32,
): void {
  const plane = height * width;
  const size = depth * plane;
  const rows = scratch + 32;
  const slices = scratch + 64;
  put(slices, 0, 1);
  for (let at = begin; at < end; at++) {
    const n = at / places;
    const own = grid + ((<usize>(at * rank)) << 2);
    const across = readAxis(scratch, load<f32>(own), width, mode, padding, aligned);
    const down = readAxis(rows, load<f32>(own, 4), height, mode, padding, aligned);
    const deep = rank == 3 ? readAxis(slices, load<f32>(own, 8), depth, mode, padding, aligned) : 1;
    let from = x + ((<usize>(n * channels * size)) << 2);
    let to = y + ((<usize>(n * channels * places + at - n * places)) << 2);
    for (let c = 0; c < channels; c++, from += (<usize>size) << 2, to += (<usize>places) << 2) {
      let sum: f32 = 0;
      for (let i = 0; i < deep; i++) {
        const slice = load<i32>(slices + ((<usize>i) << 3));
        if (slice < 0) continue;
        let inSlice: f32 = 0;
        for (let j = 0; j < down; j++) {
          const row = load<i32>(rows + ((<usize>j) << 3));
          if (row < 0) continue;
          const line = from + ((<usize>(slice * plane + row * width)) << 2);
          let inRow: f32 = 0;
          for (let k = 0; k < across; k++) {
            const pixel = load<i32>(scratch + ((<usize>k) << 3));
            if (pixel < 0) continue;
            inRow += load<f32>(scratch + ((<usize>k) << 3), 4) * load<f32>(line + ((<usize>pixel) << 2));
          }
          inSlice += load<f32>(rows + ((<usize>j) << 3), 4) * inRow;
        }
        sum += load<f32>(slices + ((<usize>i) << 3), 4) * inSlice;
      }
      store<f32>(to, sum);
    }
  }
}
