// Elements as files store them (halves, doubles, 64-bit integers, either byte order) to the five dtypes of a
// Tensor. Every binary format here decodes through this one table. The host is little-endian, as wasm memory is.

import { allocate, bytesPerElement, type DType, type TypedArray } from "../graph/tensor";
import { unpackInt4 } from "./int4";

/** How files store elements. */
export type ElementKind =
  | "f64"
  | "f32"
  | "f16"
  | "bf16"
  | "i64"
  | "u64"
  | "i32"
  | "u32"
  | "i16"
  | "u16"
  | "i8"
  | "i4"
  | "u8"
  | "bool";

/** Stored bytes of one element (i4: two in a byte, the lower half first), and the dtype it becomes. */
export const elementKinds: Readonly<Record<ElementKind, { readonly bytes: number; readonly dtype: DType }>> =
  {
    f64: { bytes: 8, dtype: "f32" },
    f32: { bytes: 4, dtype: "f32" },
    f16: { bytes: 2, dtype: "f32" },
    bf16: { bytes: 2, dtype: "f32" },
    i64: { bytes: 8, dtype: "i32" },
    u64: { bytes: 8, dtype: "i32" },
    i32: { bytes: 4, dtype: "i32" },
    u32: { bytes: 4, dtype: "i32" },
    i16: { bytes: 2, dtype: "i32" },
    u16: { bytes: 2, dtype: "i32" },
    i8: { bytes: 1, dtype: "i8" },
    i4: { bytes: 0.5, dtype: "i8" },
    u8: { bytes: 1, dtype: "u8" },
    bool: { bytes: 1, dtype: "bool" },
  };

export const I32_MIN = -0x80000000;
export const I32_MAX = 0x7fffffff;

/** The nearest i32. */
export const saturateToI32 = (value: number): number => Math.min(Math.max(value, I32_MIN), I32_MAX);

/** Bits of the f32 that equals a binary16 exactly, NaN payload included (IEEE 754-2008 §3.6). */
export function f16ToF32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const shift = Math.clz32(fraction) - 21; // moves the leading one to bit 10
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

/** Bits of the f32 that equals a bfloat16: its upper half. */
export const bf16ToF32Bits = (bits: number): number => bits << 16;

export interface Decoded {
  readonly dtype: DType;
  readonly data: TypedArray;
  /** First element that did not fit i32 and was saturated, or -1. */
  readonly saturated: number;
}

/**
 * `bytes.length / elementKinds[kind].bytes` elements, copied into a typed array of their dtype. f64 is rounded to
 * f32, bool is 1 for any byte but 0, integers wider than i32 are saturated. `into`: where they go, all of a buffer; halves may lie at
 * its end.
 */
export function decodeElements(
  kind: ElementKind,
  bytes: Uint8Array,
  littleEndian = true,
  into?: TypedArray,
): Decoded {
  const { bytes: size, dtype } = elementKinds[kind];
  const count = bytes.length / size;
  const data = into ?? allocate(dtype, count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let saturated = -1;
  const integer = (i: number, value: number) => {
    data[i] = saturateToI32(value);
    if (saturated < 0 && (value < I32_MIN || value > I32_MAX)) saturated = i;
  };
  const each = (put: (i: number, at: number) => void) => {
    for (let i = 0; i < count; i++) put(i, i * size);
  };
  const bits = () => new Int32Array(data.buffer);
  if (kind === "bool") each((i) => (data[i] = bytes[i] === 0 ? 0 : 1));
  else if (kind === "i4") unpackInt4(new Uint8Array(data.buffer), bytes);
  else if (size === bytesPerElement[dtype] && kind !== "u32" && (littleEndian || size === 1))
    new Uint8Array(data.buffer).set(bytes);
  else if (kind === "f64") each((i, at) => (data[i] = view.getFloat64(at, littleEndian)));
  else if (kind === "f32" || kind === "i32") {
    const out = bits();
    each((i, at) => (out[i] = view.getInt32(at, littleEndian)));
  } else if (kind === "bf16" && littleEndian) {
    const out = bits();
    // A view needs an even address. Not `slice`, which copies nothing of a Buffer.
    const { buffer, byteOffset } = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
    const halves = new Uint16Array(buffer, byteOffset, count);
    for (let i = 0; i < count; i++) out[i] = bf16ToF32Bits(halves[i]!);
  } else if (kind === "f16" || kind === "bf16") {
    const out = bits();
    const widen = kind === "f16" ? f16ToF32Bits : bf16ToF32Bits;
    each((i, at) => (out[i] = widen(view.getUint16(at, littleEndian))));
  } else if (kind === "u32") each((i, at) => integer(i, view.getUint32(at, littleEndian)));
  else if (kind === "i16") each((i, at) => (data[i] = view.getInt16(at, littleEndian)));
  else if (kind === "u16") each((i, at) => (data[i] = view.getUint16(at, littleEndian)));
  else {
    const [low, high] = littleEndian ? [0, 4] : [4, 0];
    const top = (at: number) =>
      kind === "i64" ? view.getInt32(at + high, littleEndian) : view.getUint32(at + high, littleEndian);
    each((i, at) => integer(i, top(at) * 2 ** 32 + view.getUint32(at + low, littleEndian)));
  }
  return { dtype, data, saturated };
}
