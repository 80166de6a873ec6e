// Numbers of one dtype as those of another, elements begin to end.

import { storeWords } from "../lanes/simd";
import { bytes, offsetOf, storeLowBytes } from "./elements";
import { BOOL, INTEGER, REAL } from "./types";

/** Four elements as f32 (`isReal`) or i32. */
function elementsAs(x: usize, i: i32, from: i32, isReal: bool, offset: v128): v128 {
  if (from == REAL) {
    const v = v128.load(x + ((<usize>i) << 2));
    return isReal ? v : i32x4.trunc_sat_f32x4_s(v);
  }
  const v = from == INTEGER ? v128.load(x + ((<usize>i) << 2)) : i32x4.sub(bytes(x, i, 1), offset);
  return isReal ? f32x4.convert_i32x4_s(v) : v;
}

/**
 * y = x, of type `from`, as numbers of type `to`. Fractions are cut off, what i32 does not hold is the nearest it has, and NaN is 0;
 * bytes keep the low bits, and bools say what is not 0. y may be x where y's elements are no larger.
 */
export function cast(y: usize, x: usize, from: i32, to: i32, begin: i32, end: i32): void {
  const offset = offsetOf(from);
  if (to <= INTEGER) {
    for (let i = begin; i < end; i += 4)
      storeWords(y + ((<usize>i) << 2), elementsAs(x, i, from, to == REAL, offset), end - i);
  } else if (to == BOOL) {
    const isReal = from == REAL;
    for (let i = begin; i < end; i += 4) {
      const v = elementsAs(x, i, from, isReal, offset);
      const isNot = f32x4.eq(isReal ? v : f32x4.convert_i32x4_s(v), f32x4.splat(0));
      storeLowBytes(y + i, v128.andnot(i32x4.splat(1), isNot), end - i);
    }
  } else {
    const added = offsetOf(to);
    for (let i = begin; i < end; i += 4)
      storeLowBytes(y + i, i32x4.add(elementsAs(x, i, from, false, offset), added), end - i);
  }
}
