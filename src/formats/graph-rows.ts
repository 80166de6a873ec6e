// A graph as compact JSON, its larger constants left to the file around it. Names stand once in a table. An integer
// region is one row: its DequantizeLinear and QuantizeLinear nodes follow from what it reads and makes, and a scale that is a
// single number stands in the row. What is written again after reading gives the same text.
//
//   row      [0, op, name, attributes, inputs, outputs, region?]                     a node as it is
//            [1, op, name, attributes, operands, result, [op, name, attributes]?]    a region, with its activation
//            [2, op, name, value, codes, scale, zero, dtype]                         QuantizeLinear, DequantizeLinear
//   operand  value | [codes, scale, zero, axis?, dtype?]      result  value | [codes, scale, zero, dtype]
//   scale    number | [value] | null: sx · sw of the operands before it             zero  number | [value] | null: none
//
// Attributes are numbers, texts or lists of them; a number that JSON has not is {"number": "-Infinity"}, or NaN, or −0.
// Values are indices into the table of names; −1 is an operand left out.

import type { Preprocessing } from "../graph/graph";
import type { Constant, DType, Tensor } from "../graph/tensor";

/** Nodes of a graph that is read. The largest models for a device have some thousand. */
export const MAX_NODES = 2 ** 14;
/** Elements of all constants that rows of a file make; a graph that needs more is written in plain rows. */
export const MAX_MADE_ELEMENTS = 2 ** 22;
/** Length of a name, in UTF-16 code units, that rows derive others from. */
export const MAX_STEM = 2 ** 10;

export type Index = number;
export type Reference = number | readonly [Index] | null;
export type Operand = Index | readonly [Index, Reference, Reference, (number | null)?, DType?];
export type Row = readonly unknown[];

export const PLAIN = 0;
export const REGION = 1;
export const BOUNDARY = 2;
export const dtypes: readonly unknown[] = ["f32", "i8", "u8", "i32", "bool"] satisfies DType[];

/** The name that scale and zero point of some codes are called after. */
export const stem = (codes: string) => (codes.endsWith("_codes") ? codes.slice(0, -"_codes".length) : codes);

/** A number that JSON has not (an infinity, NaN, −0) as an object with its text. */
export const written = (value: unknown): unknown =>
  typeof value !== "number" || (Number.isFinite(value) && !Object.is(value, -0))
    ? value
    : { number: Object.is(value, -0) ? "-0" : `${value}` };

/** The number that `written` wrote, or what else there is. */
export const asWritten = (value: unknown): unknown => {
  const isObject = typeof value === "object" && value !== null && "number" in value;
  const text = isObject ? value.number : undefined;
  return typeof text === "string" && /^(-?Infinity|NaN|-0)$/.test(text) ? Number(text) : value;
};

/** With its fields in one order. */
export const inOrder = ({ layout, scale, mean, std, of }: Preprocessing): Preprocessing => ({
  layout,
  scale,
  mean,
  std,
  ...(of && { of }),
});

/** f32(sx · sw[c]): the scale of a bias. */
export function productOf(x: Constant | undefined, w: Constant | undefined): Tensor | undefined {
  const [sx] = x?.data ?? [];
  if (sx === undefined || !w?.data || x!.data!.length !== 1) return undefined;
  return {
    dtype: "f32",
    shape: w.shape,
    data: Float32Array.from(w.data, (s) => Math.fround(sx * s)),
  };
}

export const sameElements = (a: Constant, b: Constant | undefined) =>
  a.data !== undefined &&
  b?.data !== undefined &&
  a.dtype === b.dtype &&
  `${a.shape}` === `${b.shape}` &&
  a.data.every((v, i) => Object.is(v, b.data![i]));
