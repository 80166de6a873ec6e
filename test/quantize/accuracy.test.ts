// What quantization costs on trained models, on images they were not calibrated with. The limits leave room for a few
// images either way; where the data are absent, the tests are skipped.

import { describe, expect, test } from "vitest";
import { batches, cifar, type ImageSet, mnist, top1 } from "../../bench/data.js";
import { openDataset } from "../../src/data/index";
import { type Graph, importOnnx } from "../../src/index";
import { quantize } from "../../src/quantize/index";
import { withModel } from "../engine/engines";
import { readExample } from "../examples";
import { dataFolder, realFile } from "../formats/fixtures";

/** Percentage of images whose largest output is at the label. */
const accuracy = (graph: Graph, set: ImageSet): number =>
  withModel(graph, { maxima: { [String(graph.inputs[0]!.shape[0])]: 64 } }, (model) => top1(model, set));

test("digits_wild, channels far apart: at least 98.6 % of 500 (float 99.0), naive below 50 %", async () => {
  const float = importOnnx(await readExample("digits_wild.onnx"));
  const open = async (name: string) =>
    openDataset({ bytes: await readExample(name), name }, float.inputs, { normalize: "1/16,0,1" });
  const [train, held] = [await open("train.npz"), await open("test.npz")];
  const images = Float32Array.from(
    [...held.batches(held.count)].flatMap((feeds) => {
      const fed = feeds[float.inputs[0]!.name]!;
      return Array.from((ArrayBuffer.isView(fed) ? fed : fed.data) as Float32Array);
    }),
  );
  const shape = float.inputs[0]!.shape.slice(1) as number[];
  const set = { shape, images, labels: Uint8Array.from(held.labels!) };
  const quantized = async (naive: boolean) =>
    accuracy((await quantize(float, { calibration: train.take(512).batches(64), naive })).graph, set);
  expect(accuracy(float, set)).toBe(99);
  expect(await quantized(false)).toBeGreaterThanOrEqual(98.6);
  expect(await quantized(true)).toBeLessThan(50);
});

/** What holds for default options, of test images: percent right as floats, and at least in int8. */
const models = [
  { name: "mlp", open: mnist, float: 97.59, static: 97.45, dynamic: 97.5 },
  { name: "resnet8", open: cifar, float: 82.12, static: 81.9 },
  { name: "mobile", open: cifar, float: 84.33, static: 84.0 },
  { name: "mobile_wild", open: cifar, float: 84.33, static: 83.8 },
];

describe.skipIf(dataFolder === undefined)("all test images, 512 others to calibrate", () => {
  test.each(models)("$name: float $float, static at least $static percent", async ({
    name,
    open,
    float,
    ...least
  }) => {
    const graph = importOnnx(realFile(`vision/${name}.onnx`)!);
    const [train, held] = [open("train"), open("test")];
    expect(accuracy(graph, held)).toBeCloseTo(float, 1);
    const calibration = batches(train, graph.inputs[0]!.name, 32, 512);
    const calibrated = await quantize(graph, { calibration });
    expect(accuracy(calibrated.graph, held)).toBeGreaterThanOrEqual(least.static);
    if (least.dynamic === undefined) return;
    const dynamic = await quantize(graph, { mode: "dynamic" });
    expect(accuracy(dynamic.graph, held)).toBeGreaterThanOrEqual(least.dynamic);
  });
});
