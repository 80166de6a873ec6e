// Whole files whose u8 weights fill their range around any zero point, as ONNX Runtime's older quantization writes them:
// imported, run, and held to what ONNX's own formulas give.

import { describe, expect, test } from "vitest";
import type { Graph } from "../../../src/graph/graph";
import { Random } from "../../../src/graph/random";
import { sizeOf, type Tensor, tensor } from "../../../src/graph/tensor";
import { importOnnx } from "../../../src/index";
import { isLayer } from "../../../src/ops/linear-layer";
import { toolkitOps } from "../../../src/ops/toolkit";
import { expectClose, expectFewCodesApart } from "../../check-tensors";
import { engineClasses, withModel } from "../../engine/engines";
import { type FileInput, type FileModel, type FileNode, onnxFile } from "./model-file";

const random = new Random(5);
const filled = (dtype: "f32" | "u8" | "i32", shape: readonly number[], next: () => number) =>
  tensor(dtype, shape, Array.from({ length: sizeOf(shape) }, next));
const codes = (shape: readonly number[]) => filled("u8", shape, () => random.below(256));
const number = (value: number) => tensor("f32", [], [value]);
const zeroPoint = (value: number) => tensor("u8", [], [value]);

/** Half to even. */
function round(x: number): number {
  const nearest = Math.round(x);
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}
const saturate = (x: number) => Math.min(255, Math.max(0, round(x)));

/** DynamicQuantizeLinear. */
function dynamicQuantize({ shape, data }: Tensor) {
  const [lo, hi] = [Math.min(0, ...data), Math.max(0, ...data)];
  const scale = Math.fround((hi - lo) / 255);
  const zero = saturate(Math.fround(-lo / scale));
  const q = Array.from(data, (x) =>
    Math.min(255, Math.max(0, round(Math.fround(Math.fround(x) / scale)) + zero)),
  );
  return { q: tensor("u8", shape, q), scale, zero };
}

const at = (zero: Tensor, output: number) => zero.data[zero.data.length === 1 ? 0 : output]!;

/** Sums of MatMulInteger: x [m, k], w [k, n]. */
function matMulSums(x: Tensor, zx: number, w: Tensor, zw: Tensor) {
  const [[m, k], n] = [x.shape as [number, number], w.shape[1]!];
  const sums = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let t = 0; t < k; t++)
        sums[i * n + j]! += (x.data[i * k + t]! - zx) * (w.data[t * n + j]! - at(zw, j));
  return { shape: [m, n], sums, outputOf: (i: number) => i % n };
}

/** Sums of ConvInteger: x [1, c, h, w], w [o, c, 3, 3], one pixel of padding that reads as zero. */
function convSums(x: Tensor, zx: number, weights: Tensor, zw: Tensor) {
  const [[, c, h, w], o] = [x.shape as [number, number, number, number], weights.shape[0]!];
  const sums = new Float64Array(o * h * w);
  for (let i = 0; i < sums.length; i++) {
    const [output, row, col] = [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
    for (let t = 0; t < c * 9; t++) {
      const [channel, y, z] = [Math.floor(t / 9), row - 1 + (Math.floor(t / 3) % 3), col - 1 + (t % 3)];
      if (y < 0 || y >= h || z < 0 || z >= w) continue;
      sums[i]! +=
        (x.data[(channel * h + y) * w + z]! - zx) * (weights.data[output * c * 9 + t]! - at(zw, output));
    }
  }
  return { shape: [1, o, h, w], sums, outputOf: (i: number) => Math.floor(i / (h * w)) };
}

/** Imports the file, expects integer layers, and gives y of x. */
function run(x: Tensor, nodes: readonly FileNode[], initializers: FileModel["initializers"]): Tensor[] {
  const input: FileInput = { name: "x", shape: x.shape, type: x.dtype === "f32" ? 1 : 2 };
  const graph: Graph = importOnnx(onnxFile({ inputs: [input], nodes, initializers: initializers! }));
  expect(graph.nodes.filter((node) => isLayer(node, toolkitOps) && !node.codes)).toEqual([]);
  return engineClasses.map((engineClass) =>
    withModel(graph, { engineClass }, (model) => model.runSync({ x }).y!),
  );
}

const padded = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };

/** Scales along the axis that they are multiplied with. */
const dynamic = (op: string, attributes: FileNode["attributes"] = {}): readonly FileNode[] => [
  { op: "DynamicQuantizeLinear", inputs: ["x"], outputs: ["q", "s", "z"] },
  { op, inputs: ["q", "w", "z", "wz"], outputs: ["sums"], attributes },
  { op: "Cast", inputs: ["sums"], outputs: ["real"], attributes: { to: 1 } },
  { op: "Mul", inputs: ["s", "ws"], outputs: ["scales"] },
  { op: "Mul", inputs: ["real", "scales"], outputs: ["scaled"] },
  { op: "Add", inputs: ["b", "scaled"], outputs: ["y"] },
];

const inputs = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"];

describe.each([0, 77, 127, 128, 255])("weights around %i", (zw) => {
  const zeros = (outputs: number, each: boolean) =>
    each
      ? tensor(
          "u8",
          [outputs],
          Array.from({ length: outputs }, (_, c) => Math.abs(zw - c)),
        )
      : zeroPoint(zw);
  const scales = (shape: readonly number[]) => filled("f32", shape, () => 0.01 + 0.01 * random.uniform());

  describe.each([false, true])("zero points of every output %s", (each) => {
    test.each([false, true])("MatMulInteger of a dynamic range, scales of every output %s", (own) => {
      const x = filled("f32", [5, 130], () => 4 * random.uniform() - 1);
      const [w, wz, ws] = [codes([130, 17]), zeros(17, each), scales(own ? [17] : [])];
      const b = filled("f32", [17], () => random.uniform());
      const results = run(x, dynamic("MatMulInteger"), { w, wz, ws, b });
      const { q, scale, zero } = dynamicQuantize(x);
      const { sums, outputOf } = matMulSums(q, zero, w, wz);
      const y = Array.from(sums, (sum, i) => sum * scale * at(ws, outputOf(i)) + b.data[outputOf(i)]!);
      for (const result of results) expectClose(result, tensor("f32", [5, 17], y));
    });

    test.each([false, true])("ConvInteger of a dynamic range, scales of every output %s", (own) => {
      const x = filled("f32", [1, 5, 17, 19], () => 4 * random.uniform() - 1);
      const [w, wz, ws] = [codes([9, 5, 3, 3]), zeros(9, each), scales(own ? [9, 1, 1] : [])];
      const b = filled("f32", [1, 9, 1, 1], () => random.uniform());
      const results = run(x, dynamic("ConvInteger", padded), { w, wz, ws, b });
      const { q, scale, zero } = dynamicQuantize(x);
      const { shape, sums, outputOf } = convSums(q, zero, w, wz);
      const y = Array.from(sums, (sum, i) => sum * scale * at(ws, outputOf(i)) + b.data[outputOf(i)]!);
      for (const result of results) expectClose(result, tensor("f32", shape, y));
    });

    test("QLinearMatMul", () => {
      const [x, w, wz] = [codes([64, 130]), codes([130, 65]), zeros(65, each)];
      const [xs, ws, ys] = [number(0.02), scales(wz.shape), number(2.5)];
      const parameters = { xs, xz: zeroPoint(100), w, ws, wz, ys, yz: zeroPoint(120) };
      const results = run(x, [{ op: "QLinearMatMul", inputs, outputs: ["y"] }], parameters);
      const { sums, outputOf } = matMulSums(x, 100, w, wz);
      const unit = (i: number) => (xs.data[0]! * at(ws, outputOf(i))) / ys.data[0]!;
      const y = Array.from(sums, (sum, i) => saturate(sum * unit(i) + 120));
      for (const result of results) expectFewCodesApart(result, tensor("u8", [64, 65], y));
    });

    test("QLinearConv with a bias", () => {
      const [x, w, wz] = [codes([1, 5, 17, 19]), codes([9, 5, 3, 3]), zeros(9, each)];
      const [xs, ws, ys] = [number(0.02), scales(wz.shape), number(1.5)];
      const b = filled("i32", [9], () => random.below(20_001) - 10_000);
      const conv = { op: "QLinearConv", inputs: [...inputs, "b"], outputs: ["y"], attributes: padded };
      const results = run(x, [conv], { xs, xz: zeroPoint(100), w, ws, wz, ys, yz: zeroPoint(120), b });
      const { shape, sums, outputOf } = convSums(x, 100, w, wz);
      const unit = (i: number) => (xs.data[0]! * at(ws, outputOf(i))) / ys.data[0]!;
      const y = Array.from(sums, (sum, i) => saturate((sum + b.data[outputOf(i)]!) * unit(i) + 120));
      for (const result of results) expectFewCodesApart(result, tensor("u8", shape, y));
    });
  });
});
