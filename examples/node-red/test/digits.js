// The digits as a file of so many bits, and their samples.

import { readFile, writeFile } from "node:fs/promises";
import { importOnnx, openDataset, parseNormalize, quantize, save, withPreprocessing } from "octette";

const digits = new URL("../../digits/", import.meta.url);
export const classes = "zero one two three four five six seven eight nine".split(" ");

/** Writes the digits with weights of so many bits; resolves to its artifact. */
export async function writeDigits(path, bits = 8) {
  const float = importOnnx(await readFile(new URL("digits.onnx", digits)), { name: "digits", classes });
  const graph = withPreprocessing(float, { preprocessing: { image: parseNormalize("1/16,0,1") } });
  const train = await openDataset(await readFile(new URL("train.npz", digits)), graph.inputs);
  const { graph: quantized } = await quantize(graph, { calibration: train.take(256).batches(32), bits });
  const artifact = save(quantized);
  await writeFile(path, artifact);
  return artifact;
}

/** Samples as bytes, with their labels. */
export async function samplesOf(name) {
  const inputs = importOnnx(await readFile(new URL("digits.onnx", digits))).inputs;
  const data = await openDataset(await readFile(new URL(`${name}.npz`, digits)), inputs, {
    normalize: parseNormalize("1/16,0,1"),
  });
  const [{ image }] = data.batches(data.count);
  return Array.from(data.labels, (label, i) => ({
    label,
    image: Uint8Array.from(image.data.subarray(64 * i, 64 * i + 64), (value) => Math.round(16 * value)),
  }));
}
