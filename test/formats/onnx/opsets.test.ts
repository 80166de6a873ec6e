// Operators whose attributes became inputs, whose defaults changed or that have another name today: of an old opset and of a new one they
// compute the same where they mean the same, and what the old one meant where they do not.

import { expect, test } from "vitest";
import { importOnnx, loadSync } from "../../../src/index";
import { onnxOf } from "../../../src/toolkit/export-onnx";
import { toolkit } from "../../../src/toolkit/toolkit";
import { type FileNode, onnxFile, type RawTensor } from "./model-file";

const FLOAT = 1;
const INT64 = 7;

const longs = (...values: number[]): RawTensor => ({
  dataType: INT64,
  shape: [values.length],
  bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});
const floats = (shape: readonly number[], ...values: number[]): RawTensor => ({
  dataType: FLOAT,
  shape,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

interface Case {
  readonly op: string;
  readonly opset: number;
  readonly attributes?: FileNode["attributes"];
  /** Inputs after x; undefined leaves one out. */
  readonly more?: readonly (RawTensor | undefined)[];
  readonly outputs?: number;
}

const shape = [1, 2, 5, 6];
const data = Float32Array.from({ length: 60 }, (_, i) => ((i * 37) % 61) / 8 - 3);

function run({ op, opset, attributes = {}, more = [], outputs = 1 }: Case) {
  const held = Object.fromEntries(more.flatMap((one, i) => (one ? [[`k${i}`, one]] : [])));
  const names = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const inputs = ["x", ...more.map((one, i) => (one ? `k${i}` : ""))];
  const graph = importOnnx(
    onnxFile({
      opset,
      nodes: [{ op, inputs, outputs: names, attributes }],
      initializers: held,
      inputs: [{ name: "x", shape }],
      outputs: names,
    }),
  );
  using model = loadSync(graph);
  const made = model.runSync({ x: data });
  return names.map((name) => ({ shape: made[name]!.shape, data: [...made[name]!.data] }));
}

const asymmetric = { coordinate_transformation_mode: "asymmetric" };
const half = { kernel_shape: [3, 2], pads: [1, 0, 1, 1], strides: [2, 2] };
const w = floats([2, 1, 3, 2], ...Array.from({ length: 12 }, (_, i) => i / 8 - 0.5));

test.each<[string, Case, Case]>([
  [
    "Pad",
    { op: "Pad", opset: 7, attributes: { pads: [0, 0, 1, 2, 0, 0, 2, -1], value: 3.5 } },
    { op: "Pad", opset: 18, more: [longs(1, 2, 2, -1), floats([], 3.5), longs(2, -1)] },
  ],
  [
    "Clip",
    { op: "Clip", opset: 7, attributes: { min: -0.5, max: { float: 1 } } },
    { op: "Clip", opset: 13, more: [floats([], -0.5), floats([], 1)] },
  ],
  [
    "Clip without a maximum",
    { op: "Clip", opset: 7, attributes: { min: -0.5 } },
    { op: "Clip", opset: 13, more: [floats([], -0.5)] },
  ],
  [
    "Slice",
    { op: "Slice", opset: 7, attributes: { starts: [1, -3], ends: [100, -1], axes: [2, 3] } },
    { op: "Slice", opset: 13, more: [longs(1, -3), longs(100, -1), longs(2, -1)] },
  ],
  [
    "Squeeze",
    { op: "Squeeze", opset: 7, attributes: { axes: [0] } },
    { op: "Squeeze", opset: 13, more: [longs(-4)] },
  ],
  [
    "Unsqueeze",
    { op: "Unsqueeze", opset: 7, attributes: { axes: [0, 5] } },
    { op: "Unsqueeze", opset: 13, more: [longs(-1, 0)] },
  ],
  [
    "Split",
    { op: "Split", opset: 7, attributes: { axis: 3, split: [2, 2, 2] }, outputs: 3 },
    { op: "Split", opset: 18, attributes: { axis: -1, num_outputs: 3 }, outputs: 3 },
  ],
  [
    "TopK",
    { op: "TopK", opset: 7, attributes: { axis: 2, k: 3 }, outputs: 2 },
    { op: "TopK", opset: 11, attributes: { axis: -2 }, more: [longs(3)], outputs: 2 },
  ],
  [
    "ReduceMean",
    { op: "ReduceMean", opset: 7, attributes: { axes: [1, 3], keepdims: 0 } },
    { op: "ReduceMean", opset: 18, attributes: { keepdims: 0 }, more: [longs(-1, 1)] },
  ],
  [
    "ReduceMax over nothing named",
    { op: "ReduceMax", opset: 7 },
    { op: "ReduceMax", opset: 18, more: [longs()] },
  ],
  [
    "ReduceL1 over no axis",
    { op: "Abs", opset: 13 },
    { op: "ReduceL1", opset: 18, attributes: { noop_with_empty_axes: 1 }, more: [longs()] },
  ],
  [
    "ArgMax",
    { op: "ArgMax", opset: 7, attributes: { axis: 3 } },
    { op: "ArgMax", opset: 13, attributes: { axis: -1, select_last_index: 0 } },
  ],
  [
    "MaxPool",
    { op: "MaxPool", opset: 7, attributes: half },
    { op: "MaxPool", opset: 22, attributes: { ...half, ceil_mode: 0, dilations: [1, 1] } },
  ],
  [
    "AveragePool",
    { op: "AveragePool", opset: 7, attributes: { ...half, count_include_pad: 1 } },
    { op: "AveragePool", opset: 22, attributes: { ...half, count_include_pad: 1, dilations: [1, 1] } },
  ],
  [
    "ConvTranspose",
    { op: "ConvTranspose", opset: 7, attributes: { strides: [2, 1], auto_pad: "SAME_UPPER" }, more: [w] },
    { op: "ConvTranspose", opset: 22, attributes: { strides: [2, 1], pads: [0, 0, 1, 1] }, more: [w] },
  ],
  [
    "Upsample of nearest elements",
    { op: "Upsample", opset: 7, attributes: { scales: { floats: [1, 1, 2, 1.5] } } },
    {
      op: "Resize",
      opset: 19,
      attributes: { ...asymmetric, nearest_mode: "floor" },
      more: [undefined, floats([4], 1, 1, 2, 1.5)],
    },
  ],
  [
    "Upsample that weighs",
    { op: "Upsample", opset: 9, attributes: { mode: "linear" }, more: [floats([4], 1, 1, 2, 1.5)] },
    {
      op: "Resize",
      opset: 19,
      attributes: { ...asymmetric, mode: "linear" },
      more: [undefined, floats([4], 1, 1, 2, 1.5)],
    },
  ],
  [
    "Hardmax along the last axis",
    { op: "Hardmax", opset: 11, attributes: { axis: 3 } },
    { op: "Hardmax", opset: 13 },
  ],
])("%s of an old opset and of a new one compute the same", (_, old, later) => {
  expect(run(old)).toEqual(run(later));
});

/** Elements of the last two axes at these rows and columns. */
const picked = (rows: readonly number[], columns: readonly number[]) =>
  [0, 1].flatMap((c) => rows.flatMap((row) => columns.map((column) => data[(c * 5 + row) * 6 + column]!)));

test("Resize of opset 10 takes the element above where an axis gets shorter", () => {
  const shrink = (opset: number) => run({ op: "Resize", opset, more: [floats([4], 1, 1, 0.6, 0.7)] });
  expect(shrink(10)).toEqual([{ shape: [1, 2, 3, 4], data: picked([0, 2, 4], [0, 2, 3, 5]) }]);
});

test("Resize of opset 10 that makes one axis longer and another shorter takes the element above along the latter alone", () => {
  const mixed = (...scales: number[]) =>
    run({ op: "Resize", opset: 10, more: [floats([4], 1, 1, ...scales)] })[0]!.data;
  expect(mixed(2, 0.7)).toEqual(picked([0, 0, 1, 1, 2, 2, 3, 3, 4, 4], [0, 2, 3, 5]));
  expect(mixed(1.5, 0.5)).toEqual(picked([0, 0, 1, 2, 2, 3, 4], [0, 2, 4]));
});

test("Resize of opset 10 whose scales follow from sizes takes the element above where an axis gets shorter", () => {
  const nodes = [
    { op: "Shape", inputs: ["x"], outputs: ["s"] },
    { op: "Cast", inputs: ["s"], outputs: ["f"], attributes: { to: 1 } },
    { op: "Div", inputs: ["wanted", "f"], outputs: ["scales"] },
    { op: "Resize", inputs: ["x", "scales"], outputs: ["y"] },
  ];
  const bytes = onnxFile({
    opset: 10,
    nodes,
    inputs: [{ name: "x", shape: [1, 1, 5, 4] }],
    initializers: { wanted: floats([4], 1, 1, 3, 4) },
  });
  const x = Float32Array.from({ length: 20 }, (_, i) => Math.floor(i / 4));
  const graph = importOnnx(bytes);
  for (const one of [graph, importOnnx(onnxOf(graph, toolkit))]) {
    const { y } = loadSync(one).runSync({ x });
    expect(Array.from({ length: 3 }, (_, row) => y!.data[4 * row])).toEqual([0, 2, 4]);
  }
});

test.each([
  ["round_prefer_floor", [0, 2, 4], [0, 2, 3, 4]],
  ["floor", [0, 2, 3], [0, 1, 3, 4]],
])("places of Resize are those of f32: %s", (nearest_mode, rows, columns) => {
  const more = [undefined, floats([4], 1, 1, 0.6, 0.7)];
  expect(run({ op: "Resize", opset: 13, attributes: { nearest_mode }, more })[0]!.data).toEqual(
    picked(rows, columns),
  );
});
