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

describe("sizes that are in the data", () => {
  const bools = (...values: number[]): Tensor => tensor("bool", [values.length], values);

  test("NonZero, and a Gather of what it finds", () => {
    const b = new GraphBuilder();
    const x = b.input("x", [2, "n"]);
    b.node("Transpose", [b.node("NonZero", [x], "found")], "y", { perm: [1, 0] });
    withModel(simplify(b.build("y", "found"), registry), {}, (model) => {
      for (const data of [
        [0, 1, 0, 2, 0, 3],
        [0, 0, 0, 0],
        [1, 1],
        [5, 0, 0, 0, 0, 0, 7, 8],
      ]) {
        const n = data.length / 2;
        const { y, found } = model.runSync({ x: tensor("f32", [2, n], data) });
        const at = data.flatMap((value, i) => (value === 0 ? [] : [[Math.floor(i / n), i % n]]));
        expectSameBytes(y, tensor("i32", [at.length, 2], at.flat()));
        expect(found!.shape).toEqual([2, at.length]);
      }
    });
  });

  test("Compress along an axis, and of all elements, before a product", () => {
    const b = new GraphBuilder();
    const [x, holds] = [b.input("x", [4, 3]), b.input("holds", [4], "bool")];
    b.node("Add", [b.node("Compress", [x, holds], "rows", { axis: 0 }), b.floats("bias", [3], 0)], "y");
    b.node("Compress", [x, holds], "flat");
    withModel(simplify(b.build("y", "flat"), registry), {}, (model) => {
      for (const mask of [
        [1, 0, 0, 1],
        [0, 0, 0, 0],
        [1, 1, 1, 1],
      ]) {
        const { y, flat } = model.runSync({ x: counting([4, 3]), holds: bools(...mask) });
        const rows = [0, 1, 2, 3].filter((i) => mask[i]);
        expectSameBytes(
          y,
          tensor(
            "f32",
            [rows.length, 3],
            rows.flatMap((row) => [0, 1, 2].map((i) => row * 3 + i)),
          ),
        );
        expectSameBytes(flat, tensor("f32", [rows.length], rows));
      }
    });
  });

  test("Unique in order and sorted, with NaN last, and of rows", () => {
    const b = new GraphBuilder();
    const x = b.input("x", ["n", 2]);
    b.multiple("Unique", [x], ["values", "first", "inverse", "counts"], { sorted: 0 });
    b.multiple("Unique", [x], ["rows", "", "", "times"], { axis: 0 });
    withModel(
      simplify(b.build("values", "first", "inverse", "counts", "rows", "times"), registry),
      {},
      (model) => {
        const run = model.runSync({ x: tensor("f32", [4, 2], [3, 1, 1, NaN, 3, 1, -2, NaN]) });
        expectSameBytes(run.values, tensor("f32", [4], [3, 1, NaN, -2]));
        expectSameBytes(run.first, ints(0, 1, 3, 6));
        expectSameBytes(run.inverse, ints(0, 1, 1, 2, 0, 1, 3, 2));
        expectSameBytes(run.counts, ints(2, 3, 2, 1));
        expectSameBytes(run.rows, tensor("f32", [3, 2], [-2, NaN, 1, NaN, 3, 1]));
        expectSameBytes(run.times, ints(1, 1, 2));
      },
    );
  });

  test("Range of computed bounds, and ConstantOfShape of a computed shape", () => {
    const b = new GraphBuilder();
    const limit = b.input("limit", [], "i32");
    const start = b.constant("start", tensor("i32", [], [2]));
    b.node("Range", [start, limit, b.constant("delta", tensor("i32", [], [3]))], "range");
    b.node("ConstantOfShape", [b.input("shape", [2], "i32")], "filled", { value: 7 });
    withModel(simplify(b.build("range", "filled"), registry), {}, (model) => {
      for (const [to, shape] of [
        [12, [2, 3]],
        [1, [1, 1]],
        [30, [0, 4]],
      ] as const) {
        const result = model.runSync({ limit: tensor("i32", [], [to]), shape: ints(...shape) });
        const expected = Array.from({ length: Math.max(0, Math.ceil((to - 2) / 3)) }, (_, i) => 2 + 3 * i);
        expectSameBytes(result.range, ints(...expected));
        expectSameBytes(result.filled, tensor("f32", shape, new Array(shape[0] * shape[1]).fill(7)));
      }
    });
  });

  test("NonMaxSuppression: ONNX's example, and a threshold of scores that a run computes", () => {
    const b = new GraphBuilder();
    const [boxes, scores] = [b.input("boxes", [1, 6, 4]), b.input("scores", [1, 1, 6])];
    const least = b.input("least", [1]);
    const [most, overlap] = [b.constant("most", ints(3)), b.constant("iou", tensor("f32", [1], [0.5]))];
    b.node("NonMaxSuppression", [boxes, scores, most, overlap, least], "y");
    const corners = [
      0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11, 0, 10.1, 1, 11.1, 0, 100, 1, 101,
    ];
    withModel(simplify(b.build("y"), registry), {}, (model) => {
      const run = (threshold: number) =>
        model.runSync({
          boxes: tensor("f32", [1, 6, 4], corners),
          scores: tensor("f32", [1, 1, 6], [0.9, 0.75, 0.6, 0.95, 0.5, 0.3]),
          least: tensor("f32", [1], [threshold]),
        }).y;
      expectSameBytes(run(0), tensor("i32", [3, 3], [0, 0, 3, 0, 0, 0, 0, 0, 5]));
      expectSameBytes(run(0.4), tensor("i32", [2, 3], [0, 0, 3, 0, 0, 0]));
      expectSameBytes(run(2), tensor("i32", [0, 3], []));
    });
  });

  test("a shape of symbols that is read as numbers", () => {
    const b = new GraphBuilder();
    const x = b.input("x", ["n", 3]);
    b.node("Concat", [b.node("Shape", [x], "shape"), b.input("more", [1], "i32")], "wanted", { axis: 0 });
    b.node("Expand", [b.input("one", [1, 1, 1]), "wanted"], "y");
    withModel(simplify(b.build("y"), registry), {}, (model) => {
      for (const [n, more] of [
        [2, 4],
        [5, 1],
      ] as const) {
        const { y } = model.runSync({
          x: counting([n, 3]),
          more: ints(more),
          one: tensor("f32", [1, 1, 1], [4]),
        });
        expectSameBytes(y, tensor("f32", [n, 3, more], new Array(n * 3 * more).fill(4)));
      }
    });
  });
});
