import { expect, test } from "vitest";
import { Model } from "../../../src/engine/model";
import { Engine } from "../../../src/engine/wasm";
import type { Graph } from "../../../src/graph/graph";
import { tensor } from "../../../src/graph/tensor";
import { registry } from "../../../src/ops";
import { exactSources } from "../../engine/engines";
import { dims, testOp } from "../test-op";

const image = ["batch", 6, 4, 5];
const END = 0x7fffffff;

testOp("Slice", {
  cases: [
    { inputs: [["batch", 5]], attributes: { starts: [1], ends: [4], axes: [1] } },
    { what: "of channels", inputs: [image], attributes: { starts: [1], ends: [5], axes: [1], steps: [2] } },
    {
      what: "of the map, backwards",
      inputs: [image],
      attributes: { starts: [-1, 1], ends: [-9, 4], axes: [2, 3], steps: [-1, 1] },
    },
    {
      inputs: [["batch", 5, 4, 3]],
      attributes: { starts: [3, 0], ends: [-9, 3], axes: [2, 3], steps: [-1, 2] },
    },
    { what: "of nothing", inputs: [image], attributes: { starts: [0], ends: [9], axes: [3], steps: [1] } },
    { what: "that turns", inputs: [image], attributes: { starts: [5], ends: [-9], axes: [3], steps: [-1] } },
    { inputs: [[17]], attributes: { starts: [3], ends: [9] } },
    { inputs: [[17]], attributes: { starts: [-2], ends: [99] } },
    { inputs: [[17]], attributes: { starts: [1], ends: [16], steps: [3] } },
    { inputs: [[17]], attributes: { starts: [15], ends: [-99], steps: [-2] } },
    { inputs: [[3, 5, 4]], attributes: { starts: [0, 1], ends: [2, 4], axes: [0, 2], steps: [1, 2] } },
    { inputs: [[3, 5]], attributes: { starts: [0], ends: [3] } },
    { inputs: [[3, 5]], attributes: { starts: [2], ends: [2] } },
  ],
  infers: [
    [[["batch", 9]], { starts: [0], ends: [END], axes: [0] }, "[batch, 9]"],
    [[["batch", 9]], { starts: [1], ends: [-1], axes: [0] }, "[max(-2+batch,0), 9]"],
    [[["batch", 9]], { starts: [3], ends: [END], axes: [0] }, "[max(-3+batch,0), 9]"],
    [[["3+batch", 9]], { starts: [3], ends: [END], axes: [0] }, "[batch, 9]"],
    [[["batch", 9]], { starts: [-3], ends: [END], axes: [0] }, "[min(3,batch), 9]"],
    [[["batch", 9]], { starts: [-3], ends: [-1], axes: [0] }, "[min(2,max(-1+batch,0)), 9]"],
    [[["seq", 9]], { starts: [-1], ends: [END], axes: [0] }, "[1, 9]"],
    [[["past+seq", 9]], { starts: [0], ends: ["seq"], axes: [0] }, "[seq, 9]"],
    [[[64, 9]], { starts: ["position"], ends: ["position+seq"] }, "[seq, 9]"],
    [[[64, 9]], { starts: [2], ends: ["2+seq"] }, "[seq, 9]"],
    [[["past+seq", 9]], { starts: ["past"], ends: ["past+seq"], axes: [0] }, "[seq, 9]"],
  ],
  refuses: [
    [[[4]], { starts: [0], ends: [4], steps: [0] }, "a step is an integer that is not 0"],
    [[[4]], { starts: [0], ends: [4, 4] }, "its lists differ in length"],
  ],
  evaluates: [[[dims("batch", 3, "h")], { starts: [-2], ends: [9] }, [3, "h"]]],
});

test("rows of a fixed table, from where a run says; no run takes rows it does not have", () => {
  const table = tensor(
    "f32",
    [6, 2],
    Array.from({ length: 12 }, (_, i) => i),
  );
  const graph: Graph = {
    name: "positions",
    inputs: [{ name: "x", dtype: "f32", shape: ["tokens", 2] }],
    outputs: ["y"],
    nodes: [
      {
        op: "Slice",
        name: "rows",
        inputs: ["table"],
        outputs: ["own"],
        attributes: { starts: ["position"], ends: ["position+tokens"], axes: [0] },
      },
      { op: "Add", name: "sum", inputs: ["x", "own"], outputs: ["y"], attributes: {} },
    ],
    constants: new Map([["table", table]]),
    provenance: {},
  };
  using model = new Model(graph, registry, new Engine(exactSources), { maxima: { tokens: 3 } });
  const run = (tokens: number, position: number) => [
    ...model.runSync({ x: new Float32Array(2 * tokens) }, {}, { position }).y!.data,
  ];
  expect(run(3, 1)).toEqual([2, 3, 4, 5, 6, 7]);
  expect(run(1, 5)).toEqual([10, 11]);
  expect(() => run(2, 5)).toThrow(
    'node "rows": a size is below 0: expected at least 0 for 6+-1*position+-1*tokens, got -1',
  );
});
