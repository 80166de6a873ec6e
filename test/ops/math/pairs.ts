// Cases and oracles of functions of several values of any dtype: broadcast in every way, over as many loops as kernels have and more,
// at both ends of each dtype.

import type { Shape } from "../../../src/graph/symbols";
import { type DType, sizeOf, tensor } from "../../../src/graph/tensor";
import { need } from "../../reference/node";
import type { Oracle, Real } from "../../reference/oracle";
import { broadcastShapes, broadcastStrides, offsets } from "../../reference/view";
import { fed, type OpCase } from "../test-op";

type Pair = (a: number, b: number, dtype: DType) => number;

/** f(f(a, b), c) … of all values, broadcast. */
function folded(
  inputs: readonly { shape: readonly number[]; data: ArrayLike<number> }[],
  f: Pair,
  dtype: DType,
) {
  return inputs.reduce((a, b) => {
    const shape = broadcastShapes(a.shape, b.shape);
    const [p, q] = [a, b].map((x) => offsets(shape, broadcastStrides(x.shape, shape)));
    const data = Array.from({ length: sizeOf(shape) }, (_, i) => f(a.data[p![i]!]!, b.data[q![i]!]!, dtype));
    // Each step is rounded, or keeps its low bits, as the dtype does.
    return { shape, data: dtype === "bool" ? data : tensor(dtype, shape, data).data };
  });
}

/** What a function of two values computes, and of more in a row; `tests` says that it is true or false. */
export const oracleOf = (f: Pair, tests = false): Oracle => ({
  operator: (node, inputs) => {
    const { dtype } = need(node, inputs, 0);
    const all = inputs.map((_, i) => need(node, inputs, i));
    const { shape, data } = folded(all, f, dtype);
    return tensor(tests ? "bool" : dtype, shape, data);
  },
  forward: (_, inputs) => {
    const all = inputs as readonly Real[];
    const { shape, data } = all.reduce((a, b) => {
      const shape = broadcastShapes(a.shape, b.shape);
      const [p, q] = [a, b].map((x) => offsets(shape, broadcastStrides(x.shape, shape)));
      return {
        shape,
        data: Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
          f(a.data[p![i]!]!, b.data[q![i]!]!, "f32"),
        ),
      };
    });
    return [{ shape, data }];
  },
});

const shapes: readonly (readonly [Shape, Shape])[] = [
  [
    ["batch", 17],
    ["batch", 17],
  ],
  [
    ["batch", 3, 4, 5],
    ["batch", 3, 4, 5],
  ],
  [["batch", 6, 4, 5], [5]],
  [
    ["batch", 6, 4, 5],
    [6, 1, 1],
  ],
  [
    ["batch", 1, 4, 1],
    [1, 3, 1, 5],
  ],
  [
    [2, 1, 3, 1, 2],
    [1, 2, 1, 2, 1],
  ],
  [
    [2, 1, 3, 1, 2, 1],
    [1, 2, 1, 2, 1, 3],
  ],
  [
    [2, 1, 2, 1, 3, 1, 2, 1],
    [1, 2, 1, 2, 1, 2, 1, 3],
  ],
  [[], []],
  [[3], []],
  [[], [4]],
  [[1], [1]],
  [[4], [4]],
];

/** Pairs of these dtypes in every broadcast; floats in [0.5, 2] or as `more` says. */
export const pairsOf = (dtypes: readonly DType[], more: Partial<OpCase> = {}): OpCase[] =>
  dtypes.flatMap((dtype) =>
    shapes.map(([a, b]) => ({
      inputs: dtype === "f32" ? [a, b] : [fed(dtype, a), fed(dtype, b)],
      from: [0.5, 2] as const,
      // Integers have none.
      ...(dtype !== "f32" && { gradient: "none" as const }),
      ...more,
    })),
  );

const ends: Readonly<Record<DType, readonly number[]>> = {
  f32: [0, -0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.5, -2.5],
  i32: [-0x80000000, 0x7fffffff, -1, 0, 1, 7, -7, 0x40000001],
  i8: [-128, 127, -1, 0, 1, 7, -7, 3],
  u8: [0, 255, 1, 2, 128, 127, 7, 3],
  bool: [0, 1],
};

/** Every pair of the ends of dtypes and of what lies around 0. Integers that are known are refused where i32 holds no result. */
export const endsOf = (dtypes: readonly DType[], more: Partial<OpCase> = {}, isHeld = false): OpCase[] =>
  dtypes.map((dtype) => {
    const values = ends[dtype];
    const all = values.flatMap((a) => values.map((b) => [a, b] as const));
    const [left, right] = [0, 1].map((i) => all.map((pair) => pair[i]!));
    const n = all.length;
    return {
      what: `ends of ${dtype}`,
      inputs: [fed(dtype, [n], left!), fed(dtype, [n], right!)],
      ...(!isHeld && { known: "refused" as const }),
      gradient: "none",
      ...more,
    };
  });
