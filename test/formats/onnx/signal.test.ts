// Operators over signals that files have in other forms.

import { expect, test } from "vitest";
import { readOnnx } from "../../../src/formats/onnx/import";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { toolkitOps } from "../../../src/ops/toolkit";
import { simplifyImported } from "../../../src/passes/index";
import { withModel } from "../../engine/engines";
import { dft } from "../../ops/signal/reference";
import { realOf } from "../../reference/oracle";
import { type FileModel, onnxFile } from "./model-file";

const modelOf = (
  nodes: FileModel["nodes"],
  x: Tensor,
  initializers: FileModel["initializers"] = {},
  opset = 17,
) =>
  simplifyImported(
    readOnnx(onnxFile({ opset, nodes, initializers, inputs: [{ name: "x", shape: x.shape, type: 1 }] })),
    toolkitOps,
  );

const number = (value: number, dtype: "f32" | "i32" = "i32") => tensor(dtype, [], [value]);
const edges = { bands: number(4), points: number(32), rate: number(8000) };

test("MelWeightMatrix has the triangles that ONNX's reference has", () => {
  const bins = 17;
  const identity = Float32Array.from({ length: bins * bins }, (_, i) => (i % (bins + 1) === 0 ? 1 : 0));
  const x = tensor("f32", [bins, bins], identity);
  const nodes = [
    { op: "MelWeightMatrix", inputs: ["bands", "points", "rate", "low", "high"], outputs: ["mel"] },
    { op: "MatMul", inputs: ["x", "mel"], outputs: ["y"] },
  ];
  const graph = modelOf(nodes, x, { ...edges, low: number(100, "f32"), high: number(3500, "f32") });
  const { y } = withModel(graph, {}, (model) => model.runSync({ x }));
  const third = Math.fround(1 / 3);
  const expected: Readonly<Record<number, readonly (readonly [band: number, weight: number])[]>> = {
    1: [[0, 1]],
    2: [[1, 1]],
    3: [
      [1, 0.5],
      [2, 0.5],
    ],
    4: [[2, 1]],
    5: [
      [2, 2 / 3],
      [3, third],
    ],
    6: [
      [2, third],
      [3, 2 / 3],
    ],
    7: [[3, 1]],
    8: [[3, 2 / 3]],
    9: [[3, third]],
  };
  const weights = new Float32Array(bins * 4);
  for (const [bin, all] of Object.entries(expected))
    for (const [band, weight] of all) weights[Number(bin) * 4 + band] = weight;
  expect([...y!.data]).toEqual([...weights]);
});

test.each([
  ["bands below 0", { bands: number(-1) }],
  ["no rate", { rate: number(0) }],
  ["edges that change places", { high: number(50, "f32") }],
  ["too many bands", { bands: number(2 ** 30) }],
])("MelWeightMatrix of %s is refused", (_, other) => {
  const nodes = [
    { op: "MelWeightMatrix", inputs: ["bands", "points", "rate", "low", "high"], outputs: ["y"] },
  ];
  const all = { ...edges, low: number(100, "f32"), high: number(3500, "f32"), ...other };
  expect(() => modelOf(nodes, tensor("f32", [1], [0]), all)).toThrow("its bands do not fit");
});

test("edges far above the rate take no more time", () => {
  const nodes = [
    { op: "MelWeightMatrix", inputs: ["bands", "points", "rate", "low", "high"], outputs: ["y"] },
  ];
  const all = { ...edges, low: number(0, "f32"), high: number(1e30, "f32") };
  expect(() => modelOf(nodes, tensor("f32", [1], [0]), all)).not.toThrow();
});

test.each([
  [{}, 1],
  [{ axis: 2 }, 2],
])("before opset 20 the axis of a DFT is an attribute: %j", (attributes, axis) => {
  const x = tensor(
    "f32",
    [2, 3, 4, 1],
    Float32Array.from({ length: 24 }, (_, i) => (i * 7) % 5),
  );
  const graph = modelOf([{ op: "DFT", inputs: ["x"], outputs: ["y"], attributes }], x);
  const { y } = withModel(graph, {}, (model) => model.runSync({ x }));
  const node = { op: "DFT", name: "", inputs: [], outputs: [], attributes: { axis: [axis] } };
  const [expected] = dft(node, [realOf(x)]);
  expect(y!.shape).toEqual(expected!.shape);
  for (const [i, value] of expected!.data.entries()) expect(y!.data[i]).toBeCloseTo(value, 4);
});
