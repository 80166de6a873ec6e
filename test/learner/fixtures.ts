// Digits at 2 bits, which have much to learn, and learners of them in a worker and without one.

import { fileURLToPath } from "node:url";
import { readNpz } from "../../src/formats/npz";
import { createDataset, type Dataset, importOnnx, quantize, save, tensor } from "../../src/index";
import { createLearner, type LearnerOptions } from "../../src/learner/index";
import { readExample } from "../examples";

const normalize = { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] } as const;
const plain = importOnnx(await readExample("digits_wild.onnx"), { name: "digits" });
export const inputs = plain.inputs.map((input) => ({ ...input, preprocessing: normalize }));

async function open(part: string, labelOf = (label: number) => label): Promise<Dataset> {
  const arrays = readNpz(await readExample(`${part}.npz`));
  const labels = Array.from(arrays.get("labels")!.data as Int32Array, labelOf);
  return createDataset(arrays, inputs, { labels: tensor("i32", [labels.length], labels) });
}

export const data = (await open("train")).take(320);
export const heldOut = (await open("test")).take(200);
/** Every label is another digit's. */
export const poisoned = (await open("train", (label) => (label + 1) % 10)).take(320);
export const calibrated = save(
  (await quantize({ ...plain, inputs }, { calibration: data.batches(32), bits: 2 })).graph,
);
export const image = Uint8Array.from({ length: 64 }, (_, i) => (i * 7) % 17);
/** Without rests, which take longer than the work. */
export const quick = { data, epochs: 2, batch: 32, lr: 0.002, pace: { blockMs: 8 } } as const;

export const workerScript = new URL("../../build/learner-worker.js", import.meta.url);
export const hands: [string, LearnerOptions][] = [
  ["in workers", { worker: fileURLToPath(workerScript) }],
  ["in this thread", { worker: false }],
];
export const learnerOf = (options: LearnerOptions) => createLearner(calibrated, options);
