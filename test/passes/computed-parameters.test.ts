// Parameters that a run may compute: where they follow from open sizes, they are read as tensors.

import { expect, test } from "vitest";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { toolkitOps as registry } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { expectSameBytes } from "../check-model";
import { withModel } from "../engine/engines";
import { GraphBuilder } from "../graph-builder";

const ones = (...shape: number[]): Tensor =>
  tensor(
    "f32",
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1),
  );

/** The size of `x` along its first axis, doubled, less one: a scalar. */
function sizeOf(b: GraphBuilder, x: string): string {
  const shape = b.node("Shape", [x], "shape", { start: 0, end: 1 });
  const size = b.node("Squeeze", [shape], "size", { axes: [0] });
  const twice = b.node("Mul", [size, b.constant("two", tensor("i32", [], [2]))], "twice");
  return b.node("Sub", [twice, b.constant("one", tensor("i32", [], [1]))], "most");
}

test("Clip of integers", () => {
  const b = new GraphBuilder();
  const [x, z] = [b.input("x", ["n"]), b.input("z", ["m"], "i32")];
  b.node("Clip", [z, b.constant("least", tensor("i32", [], [0])), sizeOf(b, x)], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    for (const n of [3, 1, 4]) {
      const { y } = model.runSync({ x: ones(n), z: tensor("i32", [5], [-3, 0, 2, 6, 9]) });
      expectSameBytes(
        y,
        tensor(
          "i32",
          [5],
          [-3, 0, 2, 6, 9].map((value) => Math.min(Math.max(value, 0), 2 * n - 1)),
        ),
      );
    }
  });
});

test("Clip of floats", () => {
  const b = new GraphBuilder();
  const x = b.input("x", ["n"]);
  b.node("Clip", [x, "", b.node("Cast", [sizeOf(b, x)], "bound", { to: "f32" })], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    for (const n of [3, 1, 4]) {
      const { y } = model.runSync({ x: tensor("f32", [n], new Array(n).fill(6)) });
      expectSameBytes(y, tensor("f32", [n], new Array(n).fill(Math.min(6, 2 * n - 1))));
    }
  });
});

test("Pad with a computed number", () => {
  const b = new GraphBuilder();
  const x = b.input("x", ["n"]);
  const value = b.node("Cast", [sizeOf(b, x)], "value", { to: "f32" });
  b.node("Pad", [x, b.constant("pads", tensor("i32", [2], [1, 0])), value], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    for (const n of [3, 1, 4])
      expectSameBytes(model.runSync({ x: ones(n) }).y, tensor("f32", [n + 1], [2 * n - 1, ...ones(n).data]));
  });
});

test.each([
  ["of a fed matrix", false],
  ["of a known matrix", true],
])("Trilu from a computed diagonal on, %s", (_, isKnown) => {
  const b = new GraphBuilder();
  const x = b.input("x", ["n"]);
  const z = isKnown ? b.constant("z", ones(4, 5)) : b.input("z", [4, 5]);
  b.node("Trilu", [z, sizeOf(b, x)], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    for (const n of [1, 2, 3]) {
      const { y } = model.runSync({ x: ones(n), ...(isKnown ? {} : { z: ones(4, 5) }) });
      const kept = ones(4, 5).data.map((value, i) => ((i % 5) - Math.floor(i / 5) >= 2 * n - 1 ? value : 0));
      expect([...y!.data]).toEqual([...kept]);
    }
  });
});
