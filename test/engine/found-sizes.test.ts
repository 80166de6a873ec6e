// Sizes that only a run finds: parameters that are computed, and counts of what is in the data.

import { describe, expect, test } from "vitest";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { toolkitOps as registry } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { expectSameBytes } from "../check-model";
import { GraphBuilder } from "../graph-builder";
import { withModel } from "./engines";

const ints = (...values: number[]): Tensor => tensor("i32", [values.length], values);
const counting = (shape: readonly number[]): Tensor =>
  tensor(
    "f32",
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  );

describe("parameters that a run computes", () => {
  test("Reshape by fed shapes, one plan after another", () => {
    const b = new GraphBuilder();
    const x = b.input("x", [24]);
    const shape = b.input("shape", [3], "i32");
    b.node("Relu", [b.node("Reshape", [x, shape], "y")], "z");
    withModel(simplify(b.build("z"), registry), {}, (model) => {
      for (const [fed, is] of [
        [
          [2, 3, 4],
          [2, 3, 4],
        ],
        [
          [4, -1, 2],
          [4, 3, 2],
        ],
        [
          [24, 1, 1],
          [24, 1, 1],
        ],
        [
          [2, 3, 4],
          [2, 3, 4],
        ],
      ] as const) {
        const { z } = model.runSync({ x: counting([24]), shape: ints(...fed) });
        expectSameBytes(z, { ...counting(is), data: counting([24]).data });
      }
      expect(() => model.runSync({ x: counting([24]), shape: ints(5, 5, 5) })).toThrow(/number of elements/);
      expect(model.runSync({ x: counting([24]), shape: ints(3, 8, 1) }).z!.shape).toEqual([3, 8, 1]);
    });
  });

  test("Slice between fed bounds, of a product", () => {
    const b = new GraphBuilder();
    const x = b.input("x", ["n", 8]);
    const [starts, ends] = [b.input("starts", [1], "i32"), b.input("ends", [1], "i32")];
    const cut = b.node("Slice", [x, starts, ends, b.constant("axes", ints(0))], "cut");
    b.node("Add", [cut, b.floats("bias", [8], 1)], "y");
    const graph = simplify(b.build("y"), registry);
    withModel(graph, {}, (model) => {
      const bias = graph.constants.get("bias")!.data;
      for (const [n, from, to] of [
        [5, 1, 4],
        [9, -3, 100],
        [9, 2, -2],
        [4, 3, 2],
      ] as const) {
        const { y } = model.runSync({ x: counting([n, 8]), starts: ints(from), ends: ints(to) });
        const rows = Array.from({ length: n }, (_, i) => i).slice(from, to);
        const expected = rows.flatMap((row) => Array.from(bias, (value, i) => value + (row * 8 + i)));
        expectSameBytes(y, tensor("f32", [rows.length, 8], expected));
      }
    });
  });
});
