// The reference, on models as they were exported, against ONNX Runtime's logits: 1e-4 of the largest magnitude.

import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readNpy } from "../../src/formats/npy";
import { readOnnx } from "../../src/formats/onnx/import";
import { tensor } from "../../src/graph/tensor";
import { expectClose } from "../check-tensors";
import { realFile } from "../formats/fixtures";
import { runReference } from "./index";

/** The first images of a dataset as bytes in NCHW, after `header` bytes, each behind `label` bytes. */
function images(path: string, count: number, size: number, header: number, label: number): Uint8Array {
  const bytes = gunzipSync(realFile(path)!);
  const pixels = new Uint8Array(count * size);
  for (let i = 0; i < count; i++)
    pixels.set(
      bytes.subarray(header + i * (label + size) + label, header + (i + 1) * (label + size)),
      i * size,
    );
  return pixels;
}

const cifar = {
  shape: [3, 32, 32],
  mean: [0.4914, 0.4822, 0.4465],
  std: [0.247, 0.2435, 0.2616],
  pixels: (count: number) => images("cifar10/test_4k.bin.gz", count, 3072, 0, 1),
};
const mnist = {
  shape: [1, 28, 28],
  mean: [0.1307],
  std: [0.3081],
  pixels: (count: number) => images("mnist/t10k-images-idx3-ubyte.gz", count, 784, 16, 0),
};

const models = [
  { name: "mlp", data: mnist, count: 16 },
  { name: "resnet8", data: cifar, count: 2 },
  { name: "mobile", data: cifar, count: 2 },
  { name: "mobile_wild", data: cifar, count: 2 },
].flatMap((model) =>
  ["onnx", "dynamo.onnx"].map((suffix) => ({ ...model, file: `vision/${model.name}.${suffix}` })),
);

describe.skipIf(realFile("vision/mlp.onnx") === undefined)("ONNX Runtime's logits, within 1e-4", () => {
  test.for(models)("$file", ({ name, data, count, file }) => {
    const graph = readOnnx(realFile(file)!, { name });
    const logits = readNpy(realFile(`vision/${name}.logits256.npy`)!);
    const [channels, height, width] = data.shape as [number, number, number];
    const normalized = Float32Array.from(data.pixels(count), (byte, i) => {
      const c = Math.floor(i / (height * width)) % channels;
      return (byte / 255 - data.mean[c]!) / data.std[c]!;
    });
    const input = graph.inputs[0]!;
    const flat = input.shape.length === 2;
    const shape = flat ? [count, channels * height * width] : [count, ...data.shape];
    const values = runReference(graph, { [input.name]: tensor("f32", shape, normalized) });
    const cols = logits.shape[1]!;
    const expected = tensor("f32", [count, cols], logits.data.subarray(0, count * cols));
    expectClose(values.get(graph.outputs[0]!), expected, file);
    expect(graph.outputs).toHaveLength(1);
  });
});
