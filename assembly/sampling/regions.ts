// Regions of interest: each is cut into bins, and each bin becomes a pixel.

import { rowAt } from "../lanes/indices";

/** Most samples of a bin along an axis: a region that is larger is sampled as often. */
const MOST: f32 = 65536;

/** Whole samples of a bin of so many pixels. */
function samplesOf(ratio: i32, extent: f32): i32 {
  if (ratio > 0) return ratio;
  const n = Mathf.ceil(extent);
  return n > 0 ? <i32>min<f32>(n, MOST) : 0;
}

/**
 * y[r][c][i][j] = the mean, or with `isMax` the largest part, of ratio² samples of bin (i, j) of region r, each interpolated of four pixels of
 * x[indices[r]][c]; samples farther than a pixel outside are zeros. x [images][channels][height][width], rois [x1, y1, x2, y2] times
 * `scale`, from which `shift` is taken: 0.5 where pixels have their places in the middle, else regions have a pixel at least. ratio 0: a
 * sample a pixel. Range: r·outH + i.
 */
export function roiAlign(
  y: usize,
  x: usize,
  rois: usize,
  indices: usize,
  images: i32,
  channels: i32,
  height: i32,
  width: i32,
  outH: i32,
  outW: i32,
  ratio: i32,
  scale: f32,
  shift: f32,
  isMax: i32,
  begin: i32,
  end: i32,
): void {
  const size = height * width;
  for (let at = begin; at < end; at++) {
    const r = at / outH;
    const i = at - r * outH;
    const roi = rois + ((<usize>r) << 4);
    const left = load<f32>(roi) * scale - shift;
    const top = load<f32>(roi, 4) * scale - shift;
    let across = load<f32>(roi, 8) * scale - shift - left;
    let down = load<f32>(roi, 12) * scale - shift - top;
    if (shift == 0) {
      across = max<f32>(across, 1);
      down = max<f32>(down, 1);
    }
    const binH = down / <f32>outH;
    const binW = across / <f32>outW;
    const rows = samplesOf(ratio, binH);
    const cols = samplesOf(ratio, binW);
    const count = <f32>max(rows * cols, 1);
    const image =
      x + ((<usize>(rowAt(load<i32>(indices + ((<usize>r) << 2)), images) * channels * size)) << 2);
    for (let c = 0; c < channels; c++) {
      const own = image + ((<usize>(c * size)) << 2);
      for (let j = 0; j < outW; j++) {
        let sum: f32 = 0;
        let isFirst = true;
        for (let a = 0; a < rows; a++) {
          const fy = top + <f32>i * binH + ((<f32>a + 0.5) * binH) / <f32>rows;
          for (let b = 0; b < cols; b++) {
            const fx = left + <f32>j * binW + ((<f32>b + 0.5) * binW) / <f32>cols;
            const v = sampleAt(own, fy, fx, height, width, isMax);
            if (isMax) sum = isFirst ? v : max<f32>(sum, v);
            else sum += v;
            isFirst = false;
          }
        }
        store<f32>(
          y + ((<usize>(((r * channels + c) * outH + i) * outW + j)) << 2),
          isMax ? sum : sum / count,
        );
      }
    }
  }
}

/** What four pixels are at a place between them: their weighted sum, or the largest of their parts. */
function sampleAt(image: usize, fy: f32, fx: f32, height: i32, width: i32, isMax: i32): f32 {
  // Also where a place is NaN, it is outside.
  if (!(fy >= -1 && fy <= <f32>height && fx >= -1 && fx <= <f32>width)) return 0;
  const v = max<f32>(fy, 0);
  const u = max<f32>(fx, 0);
  const top = min(<i32>v, height - 1);
  const left = min(<i32>u, width - 1);
  const bottom = min(top + 1, height - 1);
  const right = min(left + 1, width - 1);
  const down: f32 = bottom == top ? 0 : v - <f32>top;
  const across: f32 = right == left ? 0 : u - <f32>left;
  const up: f32 = <f32>1 - down;
  const back: f32 = <f32>1 - across;
  const upper = image + ((<usize>(top * width)) << 2);
  const lower = image + ((<usize>(bottom * width)) << 2);
  const a = up * back * load<f32>(upper + ((<usize>left) << 2));
  const b = up * across * load<f32>(upper + ((<usize>right) << 2));
  const c = down * back * load<f32>(lower + ((<usize>left) << 2));
  const d = down * across * load<f32>(lower + ((<usize>right) << 2));
  return isMax ? max<f32>(max<f32>(a, b), max<f32>(c, d)) : a + b + c + d;
}

/** The nearest whole number, halves away from zero, within what is far outside of any image. */
function whole(v: f32): i32 {
  const bounded = max<f32>(-1e6, min<f32>(v, 1e6));
  if (bounded != bounded) return 0;
  return <i32>(bounded < 0 ? Mathf.ceil(bounded - 0.5) : Mathf.floor(bounded + 0.5));
}

/**
 * y[r][c][i][j] = the largest pixel of bin (i, j) of region r of x, 0 where it has none: rois [image, x1, y1, x2, y2] times `scale`, rounded, both ends
 * in it. x [images][channels][height][width]. Range: r·channels + c.
 */
export function maxRoiPool(
  y: usize,
  x: usize,
  rois: usize,
  images: i32,
  channels: i32,
  height: i32,
  width: i32,
  outH: i32,
  outW: i32,
  scale: f32,
  begin: i32,
  end: i32,
): void {
  const size = height * width;
  for (let at = begin; at < end; at++) {
    const r = at / channels;
    const roi = rois + <usize>(r * 20);
    const image = rowAt(whole(load<f32>(roi)), images);
    const left = whole(load<f32>(roi, 4) * scale);
    const top = whole(load<f32>(roi, 8) * scale);
    const binW = <f32>max(whole(load<f32>(roi, 12) * scale) - left + 1, 1) / <f32>outW;
    const binH = <f32>max(whole(load<f32>(roi, 16) * scale) - top + 1, 1) / <f32>outH;
    const own = x + ((<usize>((image * channels + at - r * channels) * size)) << 2);
    let to = y + ((<usize>(at * outH * outW)) << 2);
    for (let i = 0; i < outH; i++) {
      const firstRow = max(0, min(top + <i32>Mathf.floor(<f32>i * binH), height));
      const lastRow = max(0, min(top + <i32>Mathf.ceil(<f32>(i + 1) * binH), height));
      for (let j = 0; j < outW; j++, to += 4) {
        const first = max(0, min(left + <i32>Mathf.floor(<f32>j * binW), width));
        const last = max(0, min(left + <i32>Mathf.ceil(<f32>(j + 1) * binW), width));
        let most: f32 = firstRow < lastRow && first < last ? -Infinity : 0;
        for (let row = firstRow; row < lastRow; row++) {
          for (let col = first; col < last; col++) {
            most = max<f32>(most, load<f32>(own + ((<usize>(row * width + col)) << 2)));
          }
        }
        store<f32>(to, most);
      }
    }
  }
}
