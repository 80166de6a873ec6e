import { expect, test } from "vitest";
import { Model } from "../../../src/engine/model";
import { Engine } from "../../../src/engine/wasm";
import type { Graph } from "../../../src/graph/graph";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { toolkitOps } from "../../../src/ops/toolkit";
import { expectSameBytes } from "../../check-tensors";
import { exactSources } from "../../engine/engines";
import { randomOf } from "../../graph-builder";
import { runReference } from "../../reference/index";
import { constant, testOp } from "../test-op";

testOp("CausalConv", {
  exported: "refused",
  gradient: "none",
  cases: [
    { inputs: [[1, 5, 17], constant([17, 3]), constant([17]), [2, 17]] },
    { inputs: [[1, 1, 8], constant([8, 4]), "", [3, 8]] },
    { inputs: [[1, 2, 5], [5, 1], [5], [0, 5]] },
    { inputs: [[1, 0, 5], [5, 2], "", [1, 5]] },
  ],
  infers: [[[[1, "tokens", 8], [8, 3], "", [2, 8]], {}, "[1, tokens, 8]"]],
  refuses: [
    [
      [["batch", 5, 8], [8, 3], "", [2, 8]],
      {},
      "input 0 does not fit: expected [1, 5, 8], got [batch, 5, 8]",
    ],
    [[[1, 5, 8], [8, 3], "", [3, 8]], {}, "input 3 does not fit: expected [2, 8], got [3, 8]"],
    [[[1, 5, 8], [8, 3], [7], [2, 8]], {}, "input 2 does not fit: expected [8], got [7]"],
    [
      [[1, 5, 8], [8, 3, 1], "", [2, 8]],
      {},
      "input 1 does not fit: expected [channels, taps], got [8, 3, 1]",
    ],
  ],
});

test("runs of any sizes are one run of all tokens", () => {
  const { between } = randomOf(1);
  const [channels, taps, tokens] = [6, 3, 7];
  const random = (...shape: number[]) =>
    tensor(
      "f32",
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b) }, () => between(-1, 1)),
    );
  const graph: Graph = {
    name: "conv",
    inputs: [{ name: "x", dtype: "f32", shape: [1, "tokens", channels] }],
    outputs: ["y"],
    states: [{ name: "state", dtype: "f32", shape: [taps - 1, channels] }],
    nodes: [
      { op: "CausalConv", name: "conv", inputs: ["x", "w", "", "state"], outputs: ["y"], attributes: {} },
    ],
    constants: new Map([["w", random(channels, taps)]]),
    provenance: {},
  };
  const x = random(1, tokens, channels);
  const whole = runReference(graph, { x }).get("y")!;
  for (const runs of [[7], [1, 1, 5], [3, 4]]) {
    using model = new Model(graph, toolkitOps, new Engine(exactSources), {});
    const states = new Map<string, Tensor>();
    let at = 0;
    for (const count of runs) {
      const part = (from: Tensor) =>
        tensor("f32", [1, count, channels], from.data.subarray(at * channels, (at + count) * channels));
      const { y } = model.runSync({ x: part(x) });
      expectSameBytes(y, runReference(graph, { x: part(x) }, {}, { states }).get("y")!, `${runs}`);
      expect([...y!.data]).toEqual([...part(whole).data]);
      at += count;
    }
  }
});
