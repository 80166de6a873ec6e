import { expect, test } from "vitest";
import type { Graph } from "../../../src/graph/graph";
import { tensor } from "../../../src/graph/tensor";
import { withModel } from "../../engine/engines";

test("Natural refuses runs in which a dimension is below 0, and computes nothing", () => {
  const graph: Graph = {
    name: "natural",
    inputs: [{ name: "x", dtype: "f32", shape: ["n"] }],
    outputs: ["y"],
    nodes: [
      { op: "Relu", name: "relu", inputs: ["x"], outputs: ["y"], attributes: {} },
      {
        op: "Natural",
        name: "natural",
        inputs: [],
        outputs: [],
        attributes: { values: ["-2+n"], found: [] },
      },
    ],
    constants: new Map(),
    provenance: { format: "built" },
  };
  withModel(graph, {}, (model) => {
    const of = (n: number) => ({ x: tensor("f32", [n], new Float32Array(n).fill(1)) });
    expect(model.plan.steps.length).toBe(1);
    for (const n of [2, 5]) expect(model.runSync(of(n)).y!.shape).toEqual([n]);
    for (const n of [0, 1]) expect(() => model.runSync(of(n))).toThrow(/node "natural": a size is below 0/);
  });
});
