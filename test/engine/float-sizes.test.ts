// Sizes that exporters compute as floats: divided, rounded up and cast back. They are known before a run.

import { expect, test } from "vitest";
import { tensor } from "../../src/graph/tensor";
import { toolkitOps as registry } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { GraphBuilder } from "../graph-builder";
import { withModel } from "./engines";

const ints = (...values: number[]) => tensor("i32", [values.length], values);

test.each([2, 3, 8])("a convolution of stride %i that fills its last frame, twice", (stride) => {
  const kernel = 2 * stride;
  const b = new GraphBuilder();
  let count = 0;
  const add = (op: string, inputs: readonly string[], attributes = {}) =>
    b.node(op, inputs, `${op}_${count++}`, attributes);
  const int = (value: number) => b.constant(`int_${count++}`, ints(value));
  const float = (value: number) => b.constant(`float_${count++}`, tensor("f32", [], [value]));
  let x = b.input("x", [1, 1, "length"]);
  const weights = Array.from({ length: kernel }, (_, i) => (i % 3) - 1);
  for (let layer = 0; layer < 2; layer++) {
    const length = add("Slice", [add("Shape", [x]), int(2), int(3)]);
    const less = add("Add", [add("Sub", [length, int(kernel)]), int(kernel - stride)]);
    const scalar = add("Squeeze", [less, int(0)]);
    const frames = add("Add", [add("Div", [add("Cast", [scalar], { to: "f32" }), float(stride)]), float(1)]);
    const whole = add("Sub", [
      add("Cast", [add("Ceil", [frames])], { to: "i32" }),
      b.constant(`one_${count++}`, tensor("i32", [], [1])),
    ]);
    const ideal = add("Sub", [
      add("Add", [add("Mul", [whole, int(stride)]), int(kernel)]),
      int(kernel - stride),
    ]);
    const extra = add("Sub", [ideal, length]);
    const pads = add("Concat", [b.constant(`before_${count++}`, ints(0, 0, kernel - stride, 0, 0)), extra], {
      axis: 0,
    });
    const w = b.constant(`w_${layer}`, tensor("f32", [1, 1, kernel], weights));
    x = add("Conv", [add("Pad", [x, pads]), w], { kernel_shape: [kernel], strides: [stride] });
  }
  b.node("Identity", [x], "y");
  const graph = simplify(b.build("y"), registry);
  expect(graph.nodes.filter(({ op }) => op === "Bind")).toEqual([]);
  const convolved = (x: readonly number[]) =>
    Array.from({ length: Math.ceil(x.length / stride) }, (_, frame) =>
      weights.reduce((sum, weight, i) => sum + weight * (x[(frame - 1) * stride + i] ?? 0), 0),
    );
  withModel(graph, {}, (model) => {
    for (const length of [17, 1, 40, 9, 16, 333]) {
      const fed = Array.from({ length }, (_, i) => (i % 7) - 3);
      const { shape, data } = model.runSync({ x: tensor("f32", [1, 1, length], fed) }).y!;
      const expected = convolved(convolved(fed));
      expect(shape).toEqual([1, 1, expected.length]);
      expect([...data].map((value) => value + 0)).toEqual(expected.map((value) => value + 0));
    }
  });
});

test("a size beyond what f32 divides exactly is refused", () => {
  const b = new GraphBuilder();
  const size = b.node("Cast", [b.node("Shape", [b.input("x", ["n", 0])], "shape")], "float", { to: "f32" });
  const third = b.node("Div", [size, b.constant("three", tensor("f32", [1], [3]))], "third");
  b.node("Cast", [b.node("Ceil", [third], "up")], "y", { to: "i32" });
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    expect([...model.runSync({ x: tensor("f32", [7, 0], []) }).y!.data]).toEqual([3, 0]);
    expect(() => model.runSync({ x: tensor("f32", [2 ** 24 + 1, 0], []) })).toThrow(/a size is below 0/);
  });
});
