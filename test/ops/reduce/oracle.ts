// Reductions in float64: the elements of each result, in their order, and what is made of them.

import { axesOf } from "../../../src/ops/axes";
import type { Forward, Oracle } from "../../reference/oracle";
import { constant, fed, type OpCase } from "../case-graph";

/** An op that makes one number of many; of integers the whole part. */
export function reducing(make: (elements: readonly number[]) => number): Oracle {
  const forward: Forward = (node, [x, fixed]) => {
    const { shape, data } = x!;
    const axes = fixed && Array.from(fixed.data);
    const own = axes ? { ...node, attributes: { ...node.attributes, axes } } : node;
    const named = axesOf(own, shape.length) ?? [];
    const isIdle = named.length === 0 && node.attributes.noop_with_empty_axes === 1;
    const isReduced = shape.map((_, axis) => !isIdle && (named.length === 0 || named.includes(axis)));
    const kept = shape.map((dim, axis) => (isReduced[axis] ? 1 : dim));
    const groups = Array.from({ length: kept.reduce((a, b) => a * b, 1) }, () => [] as number[]);
    for (let i = 0; i < data.length; i++) {
      let [rest, at, stride] = [i, 0, 1];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const place = rest % shape[axis]!;
        rest = Math.floor(rest / shape[axis]!);
        if (isReduced[axis]) continue;
        at += place * stride;
        stride *= shape[axis]!;
      }
      groups[at]!.push(data[i]!);
    }
    const keeps = node.attributes.keepdims !== 0;
    const out = keeps ? kept : kept.filter((_, axis) => !isReduced[axis]);
    return [{ shape: out, data: Float64Array.from(groups, make) }];
  };
  return { forward };
}

const image = ["batch", 3, 4, 5];

/** Axes of every kind: last, first, between, apart from each other, all, none. */
export const floats: readonly OpCase[] = [
  { inputs: [["batch", 17]], attributes: { axes: [1] } },
  { inputs: [["batch", 5, 7, 6]], attributes: { axes: [2, 3], keepdims: 0 } },
  { inputs: [image], attributes: { axes: [-1, -3] } },
  { inputs: [image], attributes: { axes: [1], keepdims: 0 } },
  { inputs: [image], attributes: { axes: [2] } },
  { inputs: [["batch", 3, 4]], attributes: { axes: [1], keepdims: 0 } },
  { inputs: [image], attributes: { axes: [0, 2], keepdims: 0 } },
  { inputs: [["batch", 2, 3, 2, 3]], attributes: { axes: [1, 3] } },
  { inputs: [["batch", 4]] },
  { inputs: [[2, 3, 4]], attributes: { keepdims: 0 } },
  { inputs: [[2, 1, 3]], attributes: { axes: [1] } },
  { inputs: [[3, 5]], attributes: { noop_with_empty_axes: 1 } },
  { inputs: [[]], attributes: { keepdims: 0 } },
];

/** A parameter that is a constant becomes an attribute. */
export const constantAxes: OpCase = {
  inputs: [["batch", 4, 5], constant([1], [1], "i32")],
  simplified: true,
  known: "refused",
};

const numbers = [7, -2, 3, 40, 5, -6, 0, 9, -11, 1, 2, 3];

export const integers: readonly OpCase[] = [
  { inputs: [fed("i32", [3, 4], numbers)], attributes: { axes: [1] } },
  { inputs: [fed("i32", [2, 3, 2], numbers)], attributes: { axes: [0, 2], keepdims: 0 } },
];

const far = [2147483647, -2147483648, 2147483647, 2147483646, 5, -6, 2147483647, 9, -2147483647, 1, 2, 3];

/** Of which i32 does not hold the sums, or the sums of squares. */
export const farIntegers = (scale = 1): readonly OpCase[] => {
  const values = far.map((v) => Math.trunc(v / scale));
  return [
    { inputs: [fed("i32", [3, 4], values)], attributes: { axes: [1] } },
    { inputs: [fed("i32", [3, 4], values)], attributes: { axes: [0] } },
    { inputs: [fed("i32", [2, 3, 2], values)], attributes: { axes: [0, 2], keepdims: 0 } },
  ];
};

const codes = [7, 2, 3, 40, 5, 6, 0, 9, 11, 1, 2, 3];

/** Of what is a byte in memory. */
export const bytes: readonly OpCase[] = [
  {
    inputs: [
      fed(
        "u8",
        [3, 4],
        codes.map((code) => 20 * (code % 12)),
      ),
    ],
    attributes: { axes: [1] },
  },
  {
    inputs: [
      fed(
        "i8",
        [3, 4],
        codes.map((code) => 3 * code - 60),
      ),
    ],
    attributes: { axes: [0], keepdims: 0 },
  },
  {
    inputs: [
      fed(
        "bool",
        [2, 3, 2],
        codes.map((code) => code % 2),
      ),
    ],
    attributes: { axes: [0, 2] },
  },
];
