import { expect, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
import { toolkitOps } from "../../../src/ops/toolkit";
import { simplify } from "../../../src/passes";
import { withModel } from "../../engine/engines";
import { GraphBuilder } from "../../graph-builder";
import { testOp } from "../test-op";

testOp("Expand", {
  cases: [
    { inputs: [["batch", 1, 5]], attributes: { shape: [1, 4, 1] } },
    { inputs: [["batch", 1]], attributes: { shape: [3, 1, 4] } },
    { inputs: [[]], attributes: { shape: [3] } },
    { inputs: [[1]], attributes: { shape: [17] } },
    { inputs: [[5]], attributes: { shape: [3, 5] } },
    { inputs: [[1, 3, 1, 4]], attributes: { shape: [2, 3, 5, 4] } },
    { inputs: [[2, 3, 4, 6]], attributes: { shape: [2, 2, 3, 4, 6] } },
    { what: "to what it is", inputs: [[3, 5]], attributes: { shape: [3, 1] } },
  ],
  infers: [[[["batch", 1]], { shape: [3, 1, 4] }, "[3, batch, 4]"]],
  refuses: [[[[1]], { shape: [-5] }, "a dimension is negative: expected dimensions ≥ 0, got [-5]"]],
});

test.each([
  ["of an input", false],
  ["of a constant", true],
] as const)("to a size that a run finds, %s of fixed sizes, is refused where it does not fit", (_, isConstant) => {
  const b = new GraphBuilder();
  const four = tensor("f32", [4], [1, 2, 3, 4]);
  const x = isConstant ? b.constant("x", four) : b.input("x", [4]);
  const size = b.node("NonZero", [b.input("mask", [5])], "places");
  const count = b.node("Shape", [size], "count", { start: 1 });
  b.node("Expand", [x, count], "y");
  withModel(simplify(b.build("y"), toolkitOps), {}, (model) => {
    const run = (...mask: number[]) =>
      model.runSync({ mask: Float32Array.from(mask), ...(isConstant ? {} : { x: four }) }).y!;
    for (const mask of [
      [1, 0, 1, 1, 1],
      [0, 0, 1, 0, 0],
    ])
      expect([...run(...mask).data]).toEqual([1, 2, 3, 4]);
    for (const mask of [
      [1, 0, 1, 0, 1],
      [0, 0, 0, 0, 0],
      [1, 1, 1, 1, 1],
    ])
      expect(() => run(...mask)).toThrow(/shapes do not broadcast.*\[4\] and \[[035]\]/);
  });
});
