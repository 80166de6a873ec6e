import { expect, test } from "vitest";
import { toolkitOps } from "../../src/ops/toolkit";
import { fuseGlobalPool } from "../../src/passes/fuse-global-pool";
import { type Attributes, GraphBuilder } from "../graph-builder";
import { expectSameFunction, opsOf } from "./check-pass";

const mean = (attributes: Attributes, shape = ["batch", 3, 4, 5] as (string | number)[]) => {
  const b = new GraphBuilder();
  return b.build(b.node("ReduceMean", [b.input("x", shape)], "y", attributes));
};

test.for([
  { axes: [2, 3], keepdims: 1, ops: "GlobalAveragePool" },
  { axes: [-1, -2], ops: "GlobalAveragePool" },
  { axes: [3, 2], keepdims: 0, ops: "GlobalAveragePool Flatten" },
])("the mean over height and width is $ops", ({ ops, ...attributes }) => {
  const graph = mean(attributes);
  const result = fuseGlobalPool(graph, toolkitOps);
  expect(opsOf(result)).toBe(ops);
  expectSameFunction(graph, result);
});

test("other means stay", () => {
  for (const graph of [
    mean({ axes: [1, 2] }),
    mean({ axes: [3] }),
    mean({}),
    mean({ axes: [2] }, ["batch", 7, 8]),
  ])
    expect(fuseGlobalPool(graph, toolkitOps)).toBe(graph);
});
