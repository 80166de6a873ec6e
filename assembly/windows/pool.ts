// Poolings of volumes, channels last. A block is the 16 bytes of four channels, or of sixteen codes.

import { exp } from "../lanes/exp";
import { log } from "../lanes/log";
import { storeBytes, storeWords } from "../lanes/simd";
import { firstTap, lastTap } from "../lanes/taps";
import { LARGEST, LARGEST_BYTE, MEAN, NORM } from "./sizes";
import { Volume } from "./window";

/** The taps of one window that lie in the volume. */
@unmanaged
class Taps {
  /** The first of them, and bytes from one to the next along each axis. */
  x!: usize;
  dz!: usize;
  dy!: usize;
  dx!: usize;
  slices!: i32;
  rows!: i32;
  cols!: i32;
  /** Positions a mean divides by. */
  count!: i32;
  /** The first one's place in the volume, and places from one to the next, as indices count them. */
  place!: i32;
  stepZ!: i32;
  stepY!: i32;
  stepX!: i32;
}

/** Finds the taps of output pixel ox of line `at`. `size`: bytes of a pixel. */
function findTaps(to: Taps, w: Volume, x: usize, size: usize, at: i32, ox: i32, byColumns: i32): void {
  const slice = at / w.outH;
  const n = slice / w.outD;
  const iz = (slice - n * w.outD) * w.strideD - w.padFront;
  const iy = (at - slice * w.outH) * w.strideH - w.padTop;
  const ix = ox * w.strideW - w.padLeft;
  const front = firstTap(iz, w.dilationD);
  const top = firstTap(iy, w.dilationH);
  const left = firstTap(ix, w.dilationW);
  const slices = lastTap(iz, w.dilationD, w.kd, w.inD) - front;
  const rows = lastTap(iy, w.dilationH, w.kh, w.inH) - top;
  const cols = lastTap(ix, w.dilationW, w.kw, w.inW) - left;
  const z = iz + front * w.dilationD;
  const r = iy + top * w.dilationH;
  const p = ix + left * w.dilationW;
  to.x = x + <usize>(((n * w.inD + z) * w.inH + r) * w.inW + p) * size;
  to.dx = <usize>w.dilationW * size;
  to.dy = <usize>(w.dilationH * w.inW) * size;
  to.dz = <usize>(w.dilationD * w.inH * w.inW) * size;
  to.slices = slices;
  to.rows = rows;
  to.cols = cols;
  to.count = w.coverW
    ? lastTap(iz, w.dilationD, w.kd, w.coverD) *
      lastTap(iy, w.dilationH, w.kh, w.coverH) *
      lastTap(ix, w.dilationW, w.kw, w.coverW)
    : slices * rows * cols;
  const stepX = byColumns ? w.inD * w.inH : 1;
  const stepY = byColumns ? w.inD : w.inW;
  const stepZ = byColumns ? 1 : w.inH * w.inW;
  to.place = z * stepZ + r * stepY + p * stepX;
  to.stepX = stepX * w.dilationW;
  to.stepY = stepY * w.dilationH;
  to.stepZ = stepZ * w.dilationD;
}

/** |x|^p for whole p ≥ 1. */
function power(x: v128, p: i32): v128 {
  const size = f32x4.abs(x);
  let v = size;
  for (let i = 1; i < p; i++) v = f32x4.mul(v, size);
  return v;
}

/** s^(1/p) for s ≥ 0. */
function root(s: v128, p: i32): v128 {
  if (p == 1) return s;
  if (p == 2) return f32x4.sqrt(s);
  const v = exp(f32x4.div(log(s), f32x4.splat(<f32>p)));
  return v128.andnot(v, f32x4.eq(s, f32x4.splat(0)));
}

/** The largest of every lane of a window. pmax passes over NaN; a sum beside it finds that there may be one. */
function largest(taps: Taps, from: usize): v128 {
  let m = f32x4.splat(-Infinity);
  let sum = f32x4.splat(0);
  let slice = taps.x + from;
  for (let z = taps.slices; z > 0; z--, slice += taps.dz) {
    let row = slice;
    for (let r = taps.rows; r > 0; r--, row += taps.dy) {
      let at = row;
      for (let c = taps.cols; c > 0; c--, at += taps.dx) {
        const v = v128.load(at);
        m = f32x4.pmax(m, v);
        sum = f32x4.add(sum, v);
      }
    }
  }
  return v128.any_true(f32x4.ne(sum, sum)) ? block(taps, from, LARGEST, 0) : m;
}

/** One block of a window. */
function block(taps: Taps, from: usize, how: i32, p: i32): v128 {
  let v = how == LARGEST ? f32x4.splat(-Infinity) : f32x4.splat(0);
  let slice = taps.x + from;
  for (let z = taps.slices; z > 0; z--, slice += taps.dz) {
    let row = slice;
    for (let r = taps.rows; r > 0; r--, row += taps.dy) {
      let at = row;
      for (let c = taps.cols; c > 0; c--, at += taps.dx) {
        const x = v128.load(at);
        if (how == LARGEST) v = f32x4.max(v, x);
        else if (how == MEAN) v = f32x4.add(v, x);
        else if (how == NORM) v = f32x4.add(v, power(x, p));
        else v = i8x16.max_u(v, x);
      }
    }
  }
  if (how == MEAN) return f32x4.div(v, f32x4.splat(<f32>taps.count));
  return how == NORM ? root(v, p) : v;
}

/**
 * y[p][c] = the largest of x[p·stride + k·dilation − pad][c] over all taps k that lie in the volume, their mean, or (Σ |x|^power)^(1/power), as `how`
 * says (LARGEST …). A mean divides by the positions that count.
 *
 * Dense x and y of cin channels, f32, or bytes where `how` is LARGEST_BYTE. NaN stays NaN. Range: output lines. scratch: TAPS_BYTES.
 */
export function poolVolume(
  y: usize,
  x: usize,
  window: usize,
  scratch: usize,
  how: i32,
  power: i32,
  begin: i32,
  end: i32,
): void {
  const slide = changetype<Volume>(window);
  const taps = changetype<Taps>(scratch);
  const size = how == LARGEST_BYTE ? slide.cin : slide.cin << 2;
  let out = y + <usize>begin * <usize>(slide.outW * size);
  for (let at = begin; at < end; at++)
    for (let ox = 0; ox < slide.outW; ox++, out += size) {
      findTaps(taps, slide, x, size, at, ox, 0);
      for (let c = 0; c < size; c += 16) {
        const v = how == LARGEST ? largest(taps, c) : block(taps, c, how, power);
        storeBytes(out + c, v, size - c);
      }
    }
}

/**
 * poolVolume's LARGEST, and where each was found: place[p][c] = (n·cin + c)·places + the place of its first tap in the volume, whose last
 * dimension counts fastest, or its first where byColumns is 1.
 */
export function maxPoolPlaces(
  y: usize,
  places: usize,
  x: usize,
  window: usize,
  scratch: usize,
  byColumns: i32,
  begin: i32,
  end: i32,
): void {
  const slide = changetype<Volume>(window);
  const taps = changetype<Taps>(scratch);
  const cin = slide.cin;
  const all = slide.inD * slide.inH * slide.inW;
  const pixel = (<usize>cin) << 2;
  for (let at = begin, to = <usize>begin * <usize>slide.outW * pixel; at < end; at++) {
    const n = at / (slide.outH * slide.outD);
    for (let ox = 0; ox < slide.outW; ox++, to += pixel) {
      findTaps(taps, slide, x, pixel, at, ox, byColumns);
      for (let c = 0; c < cin; c += 4) {
        const from = (<usize>c) << 2;
        let largest = v128.load(taps.x + from);
        let found = i32x4.splat(taps.place);
        for (let z = 0; z < taps.slices; z++)
          for (let r = 0; r < taps.rows; r++) {
            let p = taps.x + from + <usize>z * taps.dz + <usize>r * taps.dy;
            let place = taps.place + z * taps.stepZ + r * taps.stepY;
            for (let i = 0; i < taps.cols; i++, p += taps.dx, place += taps.stepX) {
              const v = v128.load(p);
              const isMore = f32x4.gt(v, largest);
              largest = v128.bitselect(v, largest, isMore);
              found = v128.bitselect(i32x4.splat(place), found, isMore);
            }
          }
        const channels = i32x4.add(i32x4.splat(n * cin + c), i32x4(0, 1, 2, 3));
        storeWords(y + to + from, largest, cin - c);
        storeWords(places + to + from, i32x4.add(found, i32x4.mul(channels, i32x4.splat(all))), cin - c);
      }
    }
  }
}

/** y[places[i]] = x[i], 4 bytes each, for i < count; places outside of 0..size − 1 are left out. */
export function scatterPlaces(y: usize, x: usize, places: usize, size: i32, begin: i32, end: i32): void {
  for (let i = begin; i < end; i++) {
    const place = load<i32>(places + ((<usize>i) << 2));
    if (<u32>place < <u32>size) store<i32>(y + ((<usize>place) << 2), load<i32>(x + ((<usize>i) << 2)));
  }
}
