// Quantization whose scale comes from the data, row by row.

import { head4 } from "../lanes/lanes";
import { quantize } from "./quantize";

/**
 * y[r] = clamp(rne(x[r] / s) + z, 0, 255); s = (max(0, max x[r]) − min(0, min x[r])) / 255, or 1 where that is 0;
 * z = rne(clamp(0 − min(0, min x[r]) / s, 0, 255)). Range: rows of `cols`.
 *
 * y u8 [rows][cols], scale f32 [rows], zero i32 [rows], x f32 [rows][cols], dense. With one row of all elements
 * this is ONNX DynamicQuantizeLinear. NaN counts for neither bound, and as 0 before the zero point.
 */
export function dynamicQuantize(
  y: usize,
  scale: usize,
  zero: usize,
  x: usize,
  cols: i32,
  begin: i32,
  end: i32,
): void {
  const none = f32x4.splat(0);
  for (let r = begin; r < end; r++) {
    const from = x + ((<usize>(r * cols)) << 2);
    let low = none;
    let high = none;
    let low1 = none;
    let high1 = none;
    let i = 0;
    for (; i + 8 <= cols; i += 8) {
      const at = from + ((<usize>i) << 2);
      const v = v128.load(at);
      const v1 = v128.load(at, 16);
      low = f32x4.pmin(low, v);
      high = f32x4.pmax(high, v);
      low1 = f32x4.pmin(low1, v1);
      high1 = f32x4.pmax(high1, v1);
    }
    low = f32x4.pmin(low, low1);
    high = f32x4.pmax(high, high1);
    for (; i < cols; i += 4) {
      const v = head4(v128.load(from + ((<usize>i) << 2)), none, cols - i);
      low = f32x4.pmin(low, v);
      high = f32x4.pmax(high, v);
    }
    low = f32x4.pmin(low, i32x4.shuffle(low, low, 2, 3, 0, 1));
    low = f32x4.pmin(low, i32x4.shuffle(low, low, 1, 0, 3, 2));
    high = f32x4.pmax(high, i32x4.shuffle(high, high, 2, 3, 0, 1));
    high = f32x4.pmax(high, i32x4.shuffle(high, high, 1, 0, 3, 2));
    const min0 = f32x4.extract_lane(low, 0);
    const range = (f32x4.extract_lane(high, 0) - min0) / 255;
    const s: f32 = range == 0 ? 1 : range;
    const z = <i32>nearest<f32>(min<f32>(max<f32>(0 - min0 / s, 0), 255));
    store<f32>(scale + ((<usize>r) << 2), s);
    store<i32>(zero + ((<usize>r) << 2), z);
    quantize(y + <usize>(r * cols), from, s, z, 0, 255, 0, cols);
  }
}
