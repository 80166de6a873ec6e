// A graph as compact JSON, its larger constants left to the file around it. Names stand once in a table, numbers that are
// constants in a list of scalars.
//
//   node        [op, name, attributes, inputs, outputs, codes? | null, { name of a graph of it: that graph }?]
//   codes       [[parameters of each input | null …], parameters of the output | null, [lo, hi] of the fused activation?]
//   parameters  [scale, zero point, axis | null?, [group size, group scales, group offsets?]?]
//   state       [name, dtype, shape]
//   scalar      [name, dtype, shape, number]
//   string      text | [a text before it, what follows]
//   classes     [name of each class], last and only where there are some
//
// A graph of a node is as the graph itself, and lists its constants in the file as `tensors`; several graphs may have one.
// Attributes are numbers, texts or lists of them; a number that JSON has not is {"number": "-Infinity"}, or NaN, or −0.
// Values are indices into the table of names; −1 is one that is left out. A bound that is not there is null.

import type { Preprocessing } from "../graph/graph";
import type { DType } from "../graph/tensor";

/** Nodes of a graph that is read. The largest models for a device have some thousand. */
export const MAX_NODES = 2 ** 14;

/** Longest text, in UTF-16 code units, that others begin with. */
export const MAX_PREFIX = 2 ** 10;

export const dtypes: readonly unknown[] = ["f32", "i8", "u8", "i32", "bool"] satisfies DType[];

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
