// simplify on the whole: real models from two exporters come to the same list of ops, and running it again changes
// nothing.

import { describe, expect, test } from "vitest";
import { readOnnx } from "../../src/formats/onnx/import";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { networkGraph } from "../check-model";
import { realFile } from "../formats/fixtures";
import { GraphBuilder } from "../graph-builder";
import { expectSameFunction, opsOf } from "./check-pass";

const times = (n: number, ops: string) => new Array<string>(n).fill(ops).join(" ");
const head = "GlobalAveragePool Flatten Linear";
const inverted = "Conv Relu Conv Relu Conv";
const mobile = `Conv Relu ${inverted} ${inverted} Add ${inverted} ${inverted} Add ${inverted} Conv Relu ${head}`;
const expected: Record<string, string> = {
  "vision/mlp": "Flatten Linear Relu Linear Relu Linear",
  "vision/resnet8": `Conv Relu Conv Relu Conv Add Relu ${times(2, "Conv Relu Conv Conv Add Relu")} ${head}`,
  "vision/mobile": mobile,
  "vision/mobile_wild": mobile,
  "digits/digits": `Conv Relu ${inverted} ${times(2, `${inverted} Add`)} Conv Relu ${head}`,
  "digits/digits_wild": `Conv Relu ${inverted} ${times(2, `${inverted} Add`)} Conv Relu ${head}`,
  "edge/mnist-cntk/mnist": `${times(2, "Conv Relu MaxPool")} Flatten Linear`,
};

describe("real models", () => {
  for (const [path, ops] of Object.entries(expected))
    for (const name of [`${path}.onnx`, `${path}.dynamo.onnx`]) {
      const file = realFile(name);
      if (name.includes("dynamo") && !file) continue;
      test.skipIf(!file)(name, () => {
        const graph = simplify(readOnnx(file!, { name }), toolkitOps);
        expect(opsOf(graph)).toBe(ops);
        expect(graph.nodes.every(({ inputs, op }) => op !== "Flatten" || inputs.length === 1)).toBe(true);
        expect(simplify(graph, toolkitOps)).toBe(graph);
      });
    }

  const detector = realFile("edge/ultraface/version-RFB-320_simplified.onnx");
  test.skipIf(!detector)("a detector of opset 9 keeps no reshape around its Softmax", () => {
    const graph = simplify(readOnnx(detector!), toolkitOps);
    expect(opsOf(graph)).toMatch(/Concat Softmax$|Softmax Concat$|Concat Concat Softmax$/);
    expect(new Set(graph.nodes.map(({ op }) => op))).toEqual(
      new Set(["Conv", "Relu", "Concat", "Add", "Transpose", "Reshape", "Softmax"]),
    );
  });

  const digits = realFile("digits/digits.onnx");
  test.skipIf(!digits)("what is computed stays the same", () => {
    const graph = readOnnx(digits!);
    expectSameFunction(graph, simplify(graph, toolkitOps), "exact");
  });
});

test("layers, normalization and dropout in a row", () => {
  const b = new GraphBuilder(4);
  const x = b.input("x", ["batch", 3, 6, 6]);
  const conv = b.node("Conv", [x, b.floats("w", [4, 3, 3, 3], 1)], "map", { kernel_shape: [3, 3] });
  const scaled = b.node(
    "BatchNormalization",
    [conv, ...["s", "b", "m"].map((n) => b.floats(n, [4], 1)), b.floats("v", [4], 0)],
    "normal",
    { epsilon: 0.5 },
  );
  const silu = b.node("Mul", [scaled, b.node("Sigmoid", [scaled], "gate")], "silu");
  const dropped = b.node("Dropout", [silu], "dropped");
  const pooled = b.node("ReduceMean", [dropped], "pooled", { axes: [2, 3], keepdims: 0 });
  const product = b.node("MatMul", [pooled, b.floats("p", [4, 5], 1)], "product");
  b.node("Add", [product, b.floats("c", [5], 1)], "y");
  const graph = b.build("y");
  const simple = simplify(graph, toolkitOps);
  expect(opsOf(simple)).toBe("Conv Silu GlobalAveragePool Flatten Linear");
  expectSameFunction(graph, simple);
});

test("integer regions are left as they are", () => {
  const graph = networkGraph();
  expect(simplify(graph, toolkitOps)).toBe(graph);
});
