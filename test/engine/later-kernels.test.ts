// Kernels that are imported later, of steps that only a run plans. Nothing else here may import them.

import { expect, test } from "vitest";
import { importOnnx, load } from "../../src/index";
import { type FileNode, onnxFile, type RawTensor } from "../formats/onnx/model-file";

const floats = (shape: readonly number[], value: number): RawTensor => {
  const data = new Float32Array(shape.reduce((n, dim) => n * dim, 1)).fill(value);
  return { dataType: 1, shape, bytes: new Uint8Array(data.buffer) };
};
const longs = (...values: number[]): RawTensor => ({
  dataType: 7,
  shape: [values.length],
  bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});
const node = (
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: FileNode["attributes"] = {},
) => ({ op, inputs, outputs: [output], attributes });

/** A convolution of x, padded by its largest element, and an LSTM. */
const model = onnxFile({
  nodes: [
    node("ReduceMax", ["x"], "largest", { keepdims: 0 }),
    node("Cast", ["largest"], "count", { to: 7 }),
    node("Reshape", ["count", "one"], "after"),
    node("Concat", ["before", "after"], "pads", { axis: 0 }),
    node("Pad", ["x", "pads"], "padded", { mode: "reflect" }),
    node("Conv", ["padded", "w"], "c", { strides: [2] }),
    node("Transpose", ["c"], "steps", { perm: [2, 0, 1] }),
    node("LSTM", ["steps", "lw", "lr"], "y", { hidden_size: 2 }),
  ],
  initializers: {
    one: longs(1),
    before: longs(0, 0, 0, 0, 0),
    w: floats([1, 1, 3], 1),
    lw: floats([1, 8, 1], 0.5),
    lr: floats([1, 8, 2], 0.25),
  },
  inputs: [{ name: "x", shape: [1, 1, "n"] }],
  outputs: ["y"],
});

test("kernels of steps after a size that a run finds", async () => {
  using octette = await load(importOnnx(model));
  const { y } = await octette.run({ x: Float32Array.of(1, 2, 3, 4, 2) });
  expect(y!.shape).toEqual([4, 1, 1, 2]);
});
