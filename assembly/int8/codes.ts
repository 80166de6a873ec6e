// The way between codes and f32: sixteen at a time, and one by one for those left over. Bounds of a code count from its
// zero point.
//
// A loop that calls is not peeled by V8, and computes in every round what stays the same: hence the inlining, which only
// a static method can ask for in syntax that formatters know.

import { codeMagic, roundCode } from "./epilogue";

/** clamp(rne(x / scale), lo, hi). NaN counts as 0. */
export function quantizeOne(x: f32, scale: f32, lo: f32, hi: f32): i32 {
  const v = x / scale;
  return <i32>nearest<f32>(v == v ? min<f32>(max<f32>(v, lo), hi) : min<f32>(max<f32>(0, lo), hi));
}

export class Codes {
  /** code · scale for the low four of eight codes less their zero point. */
  @inline
  static dequantizeLow(codes: v128, scale: v128): v128 {
    return f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(codes)), scale);
  }

  /** code · scale for the high four of eight codes less their zero point. */
  @inline
  static dequantizeHigh(codes: v128, scale: v128): v128 {
    return f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(codes)), scale);
  }

  /** clamp(rne(x / scale), lo, hi) + zero, as i32. NaN counts as 0. */
  @inline
  static quantize4(x: v128, scale: v128, lo: v128, hi: v128, shift: v128): v128 {
    const v = f32x4.div(x, scale);
    return roundCode(f32x4.pmin(hi, v128.and(v, f32x4.eq(v, v))), lo, codeMagic(), shift);
  }

  /** The low bytes of sixteen i32 in −32768..32767. */
  @inline
  static narrow(a: v128, b: v128, c: v128, d: v128): v128 {
    const low = i16x8.splat(0xff);
    return i8x16.narrow_i16x8_u(
      v128.and(i16x8.narrow_i32x4_s(a, b), low),
      v128.and(i16x8.narrow_i32x4_s(c, d), low),
    );
  }
}
