// Runs in which a dimension is 0: outputs without elements where there is nothing to compute, an error where an output would
// be of nothing.

import { describe, expect, test } from "vitest";
import type { Shape } from "../../src/graph/symbols";
import { sizeOf, tensor } from "../../src/graph/tensor";
import { withModel } from "../engine/engines";
import { type Attributes, GraphBuilder } from "../graph-builder";

const graphOf = (op: string, shape: Shape, attributes: Attributes, indices?: Shape) => {
  const builder = new GraphBuilder();
  const inputs = [builder.input("x", shape)];
  if (indices) inputs.push(builder.input("i", indices, "i32"));
  builder.node(op, inputs, "y", attributes);
  return builder.build("y");
};

const cases: [string, Attributes, Shape | undefined, number[]][] = [
  ["Slice", { starts: [0], ends: [1], axes: [0] }, undefined, [1, 2]],
  ["ReduceMean", { axes: [0] }, undefined, [1, 2]],
  ["ReduceMean", { axes: [0, 1], keepdims: 0 }, undefined, []],
  ["ArgMax", { axis: 0 }, undefined, [1, 2]],
  ["Gather", { axis: 0 }, [3], [3, 2]],
];

describe.each(cases)("%s %o", (op, attributes, indices, shape) => {
  const x = (rows: number) =>
    tensor(
      "f32",
      [rows, 2],
      Array.from({ length: rows * 2 }, (_, i) => i),
    );
  const feeds = (rows: number) => ({ x: x(rows), ...(indices ? { i: tensor("i32", [3], [0, 0, 0]) } : {}) });

  test("of a symbol that is 0 is refused in that run alone", () => {
    withModel(graphOf(op, ["n", 2], attributes, indices), { maxima: { n: 2 } }, (model) => {
      expect(() => model.runSync(feeds(0))).toThrow(
        /its input lacks elements that its output has: expected at least 1 for (2\*)?n, got 0|at least 0 for -1\+n, got -1/,
      );
      expect(model.runSync(feeds(2)).y!.shape).toEqual(shape);
    });
  });

  // A Slice of a fixed dimension is cut to what is there.
  if (op === "Slice") return;
  test("of no elements is refused", () => {
    withModel(graphOf(op, [0, 2], attributes, indices), {}, (model) =>
      expect(() => model.runSync(feeds(0))).toThrow(/its input lacks elements that its output has/),
    );
  });
});

test.each<[string, Attributes, Shape | undefined]>([
  ["ReduceMean", { axes: [1] }, undefined],
  ["ArgMax", { axis: 1 }, undefined],
  ["Gather", { axis: 0 }, ["m"]],
  ["Slice", { starts: [0], ends: [1], axes: [1] }, undefined],
  ["Softmax", { axis: -1 }, undefined],
])("%s %o of no rows has none", (op, attributes, indices) => {
  withModel(graphOf(op, ["n", 2], attributes, indices), {}, (model) => {
    const feeds = { x: tensor("f32", [0, 2], []), ...(indices ? { i: tensor("i32", [0], []) } : {}) };
    const { shape, data } = model.runSync(feeds).y!;
    expect([sizeOf(shape), data.length]).toEqual([0, 0]);
  });
});

test("integers without elements leave what lies at their place as it is", () => {
  const b = new GraphBuilder();
  b.node("Abs", [b.input("x", [8])], "y");
  b.node("BroadcastSub", [b.input("p", [4, 0], "i32"), b.input("q", [1, 0], "i32")], "none");
  withModel(b.build("y", "none"), {}, (model) => {
    const values = [1, 2, 3, 4, 5, 6, 7, 8];
    const none = (rows: number) => tensor("i32", [rows, 0], []);
    const { y } = model.runSync({ x: tensor("f32", [8], values), p: none(4), q: none(1) });
    expect([...y!.data]).toEqual(values);
  });
});
