import { expect, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
import { importOnnx, loadSync } from "../../../src/index";
import { expectClose } from "../../check-tensors";
import { onnxFile } from "../../formats/onnx/model-file";
import { constant, type OpCase, testOp } from "../test-op";

/** Two values that a run computes. */
const computed = (a: OpCase["inputs"][0], b: OpCase["inputs"][0], more: Partial<OpCase> = {}): OpCase => ({
  inputs: [a, b],
  forms: [],
  ...more,
});
testOp("MatMul", {
  cases: [
    { inputs: [["batch", 9], constant([9, 5])] },
    { inputs: [["batch", 7, 9], constant([9, 5])], simplified: true },
    computed(["batch", 3, 7, 9], ["batch", 3, 9, 5]),
    computed(["batch", 3, 7, 9], ["batch", 3, 9, 5], { fused: "Relu" }),
    computed(["batch", 7, 9], [9, 5]),
    computed([2, 1, 7, 9], [1, 3, 9, 5]),
    computed([1, 1], [1, 1]),
    computed([3, 4], [4, 17]),
    computed(["batch", 3, 4], [1, 4, 5]),
    computed(["batch", 3, 4], ["batch", 4, 5]),
    computed([3, 4], [2, 4, 5]),
    computed([17, 9], [9, 3]),
    computed([2, 3, 4], [4, 5]),
    computed([2, 3, 4, 5], [2, 3, 5, 6]),
    computed([2, 1, 4, 5], [1, 3, 5, 6]),
    computed([2, 3, 4], [4]),
    computed([2, 3, 4, 5], [3, 5, 6]),
    computed([2, 3, 4, 5], [2, 1, 5, 6]),
    computed(["batch", 3, 4, 5], ["batch", 1, 5, 6]),
    computed(["batch", 3, 4, 5], ["batch", 1, 5, 6], { fused: "Relu" }),
    computed([2, 4, 3, 1, 5], [2, 1, 3, 5, 6]),
    computed([2, 4, 3, 2, 5], [2, 4, 1, 5, 6]),
    computed([2, 1, 3, 2, 5], [2, 4, 3, 5, 6]),
    computed([1, 4, 3, 2, 5], [2, 4, 1, 5, 6]),
    computed([4], [4]),
    computed([4], [4, 3]),
    computed([4], [2, 4, 3]),
    computed([3, 4], [4]),
    computed(["batch", 3, 4], [4]),
  ],
});

test("MatMul of an open batch that both have, between axes that one repeats", () => {
  const inputs = [
    { name: "a", shape: ["batch", 2, 3, 1, 5] },
    { name: "b", shape: ["batch", 1, 3, 5, 4] },
  ];
  const graph = importOnnx(
    onnxFile({ nodes: [{ op: "MatMul", inputs: ["a", "b"], outputs: ["y"] }], inputs }),
  );
  const model = loadSync(graph);
  for (const batch of [1, 3, 2]) {
    const a = Float32Array.from({ length: batch * 30 }, (_, i) => Math.sin(i));
    const b = Float32Array.from({ length: batch * 60 }, (_, i) => Math.cos(i));
    const { y } = model.runSync({
      a: tensor("f32", [batch, 2, 3, 1, 5], a),
      b: tensor("f32", [batch, 1, 3, 5, 4], b),
    });
    const expected = Array.from({ length: batch * 24 }, (_, i) => {
      const [at, n] = [Math.floor(i / 4), i % 4];
      const matrix = 3 * Math.floor(at / 6) + (at % 3);
      return [0, 1, 2, 3, 4].reduce((sum, k) => sum + a[at * 5 + k]! * b[matrix * 20 + k * 4 + n]!, 0);
    });
    expectClose(y, tensor("f32", [batch, 2, 3, 1, 4], expected), "y");
  }
  model.dispose();
});

test("MatMul of heads that share a matrix needs no plan for each batch", () => {
  const inputs = [
    { name: "a", shape: ["batch", 3, "n", 5] },
    { name: "b", shape: ["batch", 1, 5, "n"] },
  ];
  const model = loadSync(
    importOnnx(onnxFile({ nodes: [{ op: "MatMul", inputs: ["a", "b"], outputs: ["y"] }], inputs })),
  );
  expect(model.sizes).toEqual({});
});
