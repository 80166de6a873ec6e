// The data sets of the accuracy figures, from OCTETTE_DATA: MNIST as IDX, CIFAR-10 as label byte + 3072 bytes a record.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

export const dataFolder =
  process.env.OCTETTE_DATA ?? fileURLToPath(new URL("../../shared/data", import.meta.url));

const CIFAR_MEAN = [0.4914, 0.4822, 0.4465];
const CIFAR_STD = [0.247, 0.2435, 0.2616];
const CIFAR_RECORD = 1 + 3 * 32 * 32;

const read = (name) => readFileSync(join(dataFolder, name));

/** @returns {{shape: number[], images: Float32Array, labels: Uint8Array}} images n × shape, normalised as the models were trained */
export function mnist(part) {
  const name = { train: "train", test: "t10k" }[part];
  const pixels = gunzipSync(read(`mnist/${name}-images-idx3-ubyte.gz`)).subarray(16);
  const labels = gunzipSync(read(`mnist/${name}-labels-idx1-ubyte.gz`)).subarray(8);
  return {
    shape: [1, 28, 28],
    images: Float32Array.from(pixels, (v) => (v / 255 - 0.1307) / 0.3081),
    labels,
  };
}

/** As `mnist`, of CIFAR-10. */
export function cifar(part) {
  const records = gunzipSync(read(`cifar10/${{ train: "train_12k", test: "test_4k" }[part]}.bin.gz`));
  const count = records.length / CIFAR_RECORD;
  const images = new Float32Array(count * (CIFAR_RECORD - 1));
  const labels = new Uint8Array(count);
  for (let n = 0, at = 0; n < count; n++) {
    const record = records.subarray(n * CIFAR_RECORD, (n + 1) * CIFAR_RECORD);
    labels[n] = record[0];
    for (let i = 0; i < CIFAR_RECORD - 1; i++, at++) {
      const channel = Math.floor(i / 1024);
      images[at] = (record[1 + i] / 255 - CIFAR_MEAN[channel]) / CIFAR_STD[channel];
    }
  }
  return { shape: [3, 32, 32], images, labels };
}

/** Batches of at most `size` of the first `count` images, as tensors for the input `name`. */
export function* batches({ shape, images }, name, size, count = Infinity) {
  const length = shape.reduce((a, b) => a * b);
  const total = Math.min(count, images.length / length);
  for (let from = 0; from < total; from += size) {
    const to = Math.min(from + size, total);
    const data = images.subarray(from * length, to * length);
    yield { [name]: { dtype: "f32", shape: [to - from, ...shape], data } };
  }
}

/** Percentage of rows whose largest logit is the label. */
export function top1(model, set) {
  const [{ name }] = model.inputs;
  let right = 0;
  let row = 0;
  for (const feeds of batches(set, name, 64)) {
    const [logits] = Object.values(model.runSync(feeds));
    const classes = logits.shape[1];
    for (let i = 0; i < logits.data.length; i += classes, row++) {
      const scores = logits.data.subarray(i, i + classes);
      if (scores.indexOf(Math.max(...scores)) === set.labels[row]) right++;
    }
  }
  return (100 * right) / row;
}
