// Models that people run at the edge: float outputs against ONNX Runtime's, and accuracy on the data they are for.

import { describe, expect, test } from "vitest";
import { mnist } from "../bench/data.js";
import { readNpz } from "../src/formats/npz";
import { importOnnx, loadSync, quantize } from "../src/index";
import { expectClose } from "./check-tensors";
import { realFile } from "./formats/fixtures";

describe.each([
  ["ultraface/version-RFB-320_simplified.onnx", "ultraface_version-RFB-320_simplified.npz"],
  ["yunet/yunet_n_320_320.onnx", "yunet_n_320_320.npz"],
])("%s", (file, golden) => {
  const bytes = realFile(`edge/${file}`);
  test.skipIf(!bytes)("gives ONNX Runtime's outputs within 1e-4", () => {
    const tensors = readNpz(realFile(`edge/${golden}`)!);
    const model = loadSync(importOnnx(bytes!));
    const outputs = model.runSync({ input: tensors.get("in.input")! });
    model.dispose();
    for (const [name, tensor] of Object.entries(outputs))
      expectClose(tensor, tensors.get(`out.${name}`)!, name);
  });
});

describe("hand gestures", () => {
  const bytes = realFile("edge/keypoint/keypoint_classifier.onnx");
  test.skipIf(!bytes)("96.52 % of its data in float, as many in int8", async () => {
    const lines = new TextDecoder().decode(realFile("edge/keypoint/keypoint.csv")).trim().split("\n");
    const rows = lines.map((line) => line.split(",").map(Number));
    const input = Float32Array.from(rows.flatMap((row) => row.slice(1)));
    const shape = [rows.length, 42];
    const float = importOnnx(bytes!);
    const calibration = [{ input: { dtype: "f32" as const, shape, data: input } }];
    const { graph } = await quantize(float, { calibration });
    const accuracy = [float, graph].map((from) => {
      const model = loadSync(from, { maxima: { batch: 64 } });
      const { class_ids: found } = model.runSync({ input });
      model.dispose();
      return rows.filter(([label], i) => found!.data[i] === label).length / rows.length;
    });
    expect(accuracy[0]).toBeCloseTo(0.9652, 4);
    expect(accuracy[1]).toBeGreaterThan(0.96);
  });
});

describe("digits of CNTK", () => {
  const bytes = realFile("edge/mnist-cntk/mnist.onnx");
  test.skipIf(!bytes)("more than 98.5 % of the first 1000 images", () => {
    const model = loadSync(importOnnx(bytes!));
    const set = mnist("test");
    let right = 0;
    for (let i = 0; i < 1000; i++) {
      const image = set.images.subarray(i * 784, (i + 1) * 784);
      // It was trained on bytes.
      const data = image.map((x) => Math.round((x * 0.3081 + 0.1307) * 255));
      const { Plus214_Output_0: logits } = model.runSync({ Input3: data });
      const best = Array.from(logits!.data).reduce((a, x, c, all) => (x > all[a]! ? c : a), 0);
      if (best === set.labels[i]) right++;
    }
    model.dispose();
    expect(right).toBeGreaterThan(985);
  });
});
