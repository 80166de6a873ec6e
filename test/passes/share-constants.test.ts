// Weights that an exporter wrote in each branch are one constant, in memory of the host and in the artifact.

import { expect, test } from "vitest";
import { readArtifact } from "../../src/formats/octette";
import { constantsIn } from "../../src/graph/bodies";
import type { Graph } from "../../src/graph/graph";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { importOnnx, loadSync, save } from "../../src/index";
import { expectClose } from "../check-tensors";
import { type FileGraph, onnxFile } from "../formats/onnx/model-file";

const SIZE = 64;
const weights = (change = 0): Tensor =>
  tensor(
    "f32",
    [SIZE, SIZE],
    Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i) + (i === 7 ? change : 0)),
  );
/** x·w, of weights of its own, and a function of that. */
const branch = (op: string, w: Tensor): FileGraph => ({
  nodes: [
    { op: "MatMul", inputs: ["x", "w"], outputs: ["product"] },
    { op, inputs: ["product"], outputs: ["made"] },
  ],
  outputs: ["made"],
  initializers: { w },
});
const branching = (then: Tensor, other: Tensor): Graph =>
  importOnnx(
    onnxFile({
      nodes: [
        {
          op: "If",
          inputs: ["c"],
          outputs: ["y"],
          attributes: {
            then_branch: { graph: branch("Relu", then) },
            else_branch: { graph: branch("Tanh", other) },
          },
        },
      ],
      inputs: [
        { name: "c", shape: [], type: 9 },
        { name: "x", shape: ["n", SIZE] },
      ],
    }),
    { name: "branching" },
  );

test("equal weights of two branches are one", () => {
  const graph = branching(weights(), weights());
  expect(constantsIn(graph).filter(({ data }) => data.length === SIZE * SIZE)).toHaveLength(1);
  const bytes = save(graph);
  expect(bytes.length).toBeLessThan(1.5 * 4 * SIZE * SIZE);
  const x = tensor("f32", [1, SIZE], weights().data.subarray(0, SIZE));
  const w = weights().data;
  const sums = Array.from({ length: SIZE }, (_, n) =>
    Array.from(x.data).reduce((sum, v, k) => sum + v * w[k * SIZE + n]!, 0),
  );
  for (const source of [graph, bytes, readArtifact(bytes).graph])
    for (const [holds, f] of [
      [1, (v: number) => Math.max(0, v)],
      [0, Math.tanh],
    ] as const) {
      const { y } = loadSync(source).runSync({ c: tensor("bool", [], [holds]), x });
      expectClose(y, tensor("f32", [1, SIZE], sums.map(f)), "y");
    }
});

test("weights that differ in one element are two", () => {
  const graph = branching(weights(), weights(1));
  expect(constantsIn(graph).filter(({ data }) => data.length === SIZE * SIZE)).toHaveLength(2);
});
