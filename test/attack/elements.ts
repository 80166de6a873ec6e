// Elements of every type that ONNX has numbers for: as raw_data holds them, as both runtimes take and give them.

import type { Random } from "../../src/graph/random";
import type { RawTensor } from "../formats/onnx/model-file";

/** TensorProto.DataType by the names used here. */
export const elementTypes = {
  f32: 1,
  u8: 2,
  i8: 3,
  u16: 4,
  i16: 5,
  i32: 6,
  i64: 7,
  bool: 9,
  f16: 10,
  f64: 11,
  u32: 12,
  u64: 13,
  bf16: 16,
  u4: 21,
  i4: 22,
} as const;

export type ElementType = keyof typeof elementTypes;
export type Numbers = readonly (number | bigint)[];

export interface Elements {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly values: Numbers;
}

export const count = (shape: readonly number[]) => shape.reduce((n, dim) => n * dim, 1);
export const isFloat = (type: ElementType) => /^b?f/.test(type);

/** Lowest and highest value of each integer type. */
export const ranges: Readonly<Partial<Record<ElementType, readonly [number | bigint, number | bigint]>>> = {
  u4: [0, 15],
  i4: [-8, 7],
  u8: [0, 255],
  i8: [-128, 127],
  u16: [0, 65535],
  i16: [-32768, 32767],
  u32: [0, 4294967295],
  i32: [-2147483648, 2147483647],
  u64: [0n, 18446744073709551615n],
  i64: [-9223372036854775808n, 9223372036854775807n],
};

/** Bits of the f16 nearest to a number; halves go to even. */
export function f16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 2 ** -30)));
  const steps = size / 2 ** (exponent - 10);
  const floor = Math.floor(steps);
  const rest = steps - floor;
  const rounded = floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
  // A mantissa of 2048 carries into the exponent by itself; subnormals have exponent field 0.
  return sign | (rounded + (exponent + 14) * 1024);
}

export function f16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + mantissa / 1024) : sign * 2 ** -24 * mantissa;
}

const arrays = {
  f32: Float32Array,
  f64: Float64Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  bool: Uint8Array,
};

/** The typed array of a tensor; nibbles are two a byte, the low one first. */
export function arrayOf({ type, values }: Elements) {
  if (type === "i64") return BigInt64Array.from(values, (v) => BigInt(v));
  if (type === "u64") return BigUint64Array.from(values, (v) => BigInt(v));
  if (type === "u4" || type === "i4") {
    const bytes = new Uint8Array((values.length + 1) >> 1);
    for (const [i, v] of values.entries()) bytes[i >> 1]! |= (Number(v) & 15) << (4 * (i & 1));
    return bytes;
  }
  const numbers = values.map(Number);
  if (type === "f16") return Uint16Array.from(numbers, f16Bits);
  if (type === "bf16")
    return Uint16Array.from(numbers, (v) => new Uint32Array(Float32Array.of(v).buffer)[0]! >>> 16);
  return arrays[type].from(numbers);
}

export function rawTensor(elements: Elements): RawTensor {
  const array = arrayOf(elements);
  return {
    dataType: elementTypes[elements.type],
    shape: elements.shape,
    bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
  };
}

/** What a value of a type becomes when it is stored: floats rounded, integers wrapped. */
export const stored = (type: ElementType, value: number): number =>
  type === "f32" ? Math.fround(value) : type === "f16" ? f16Value(f16Bits(value)) : value;

const strange = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1e-40,
  -3e-42,
  3e38,
  -3e38,
  1e-10,
  65504,
  88.7,
  -104,
  16777216,
];

/**
 * Numbers of a type: mostly small; where `wild`, some of them NaN, infinite, denormal, or the ends of the integers.
 */
export function numbers(random: Random, type: ElementType, length: number, wild: boolean): Numbers {
  if (type === "bool") return Array.from({ length }, () => random.below(2));
  if (isFloat(type)) {
    const whole = random.below(4) === 0;
    return Array.from({ length }, () => {
      if (wild && random.below(5) === 0) return stored(type, strange[random.below(strange.length)]!);
      const x = random.uniform() * 8 - 4;
      return stored(type, whole ? Math.round(x) : x);
    });
  }
  const [low, high] = ranges[type]!;
  const signed = low < 0;
  return Array.from({ length }, () => {
    if (wild && random.below(4) === 0)
      return [low, high, typeof high === "bigint" ? high - 1n : high - 1][random.below(3)]!;
    if (/^[iu]8$/.test(type) && random.below(2) === 0) return Number(low) + random.below(256);
    return signed ? random.below(11) - 5 : random.below(9);
  });
}
