// The handwritten digits that training is tested with: the float model, its samples, and the feeds of a step.

import { Engine } from "../../src/engine/wasm";
import { readNpz } from "../../src/formats/npz";
import { createDataset, importOnnx, quantize } from "../../src/index";
import { train } from "../../src/train/inlined";
import { LABELS } from "../../src/train/step/losses";
import { exactSources } from "../engine/engines";
import { readExample } from "../examples";

export const engine = new Engine({ ...exactSources, train });
export const float = importOnnx(await readExample("digits_wild.onnx"), { name: "digits_wild" });
const arrays = readNpz(await readExample("train.npz"));
export const data = createDataset(arrays, float.inputs, {
  labels: arrays.get("labels")!,
  normalize: { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] },
});

/** The model in so many bits. */
export const quantized = (bits = 8) => quantize(float, { calibration: data.take(128).batches(32), bits });

/** Feeds of a step over samples from `from` on. */
export function feeds(from: number, count: number) {
  const rows = Array.from({ length: count }, (_, i) => from + i);
  const labels = Int32Array.from(rows, (row) => data.labels![row]!);
  return { ...data.at(rows), [LABELS]: { dtype: "i32" as const, shape: [count], data: labels } };
}
