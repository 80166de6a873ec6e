// The shipped files, cut and with bits flipped: every reader gives an answer or an OctetteError, soon. Damage that a hash
// would tell is done behind it too.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../src/errors";
import { readNpz } from "../src/formats/npz";
import { readArtifact } from "../src/formats/octette";
import { Random } from "../src/graph/random";
import { applyDelta, createDataset, createDelta, importOnnx, loadSync, quantize, save } from "../src/index";
import { damaged } from "./attack/sealed";
import { randomFeeds } from "./check-model";
import { readExample } from "./examples";
import { resealed } from "./formats/sealed";

/** Longest that one damaged file may take, in milliseconds. */
const PATIENCE = 2000;
/** Memory of models that are run; larger ones are only loaded. */
const SMALL_BYTES = 1 << 22;

const onnx = new Uint8Array(await readExample("digits.onnx"));
const wild = new Uint8Array(await readExample("digits_wild.onnx"));
const npz = new Uint8Array(await readExample("train.npz"));
const quantized = await (async () => {
  const graph = importOnnx(onnx, { name: "digits" });
  const normalize = { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] } as const;
  const train = createDataset(readNpz(npz), graph.inputs, { normalize });
  return (await quantize(graph, { calibration: train.take(64).batches(32) })).graph;
})();
const artifact = save(quantized);
/** To the same model with every seventh weight code one less. */
const delta = (() => {
  const lower = (code: number, i: number) => (i % 7 === 0 && code > -127 ? code - 1 : code);
  const constants = [...quantized.constants].map(
    ([name, value]) =>
      [
        name,
        value.dtype === "i8" && value.shape.length > 1 ? { ...value, data: value.data.map(lower) } : value,
      ] as const,
  );
  return createDelta(artifact, save({ ...quantized, constants: new Map(constants) }));
})();

function runs(graph: ReturnType<typeof importOnnx>): void {
  const model = loadSync(graph, { engineClass: "baseline" });
  try {
    if (model.bytes <= SMALL_BYTES) model.runSync(randomFeeds(graph, 1));
  } finally {
    model.dispose();
  }
}

/** Whether it is read; any error but an OctetteError, or too long a wait, fails the test. */
function isRead(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  const start = performance.now();
  try {
    read(bytes);
    return true;
  } catch (error) {
    if (!(error instanceof OctetteError)) throw error;
    return false;
  } finally {
    expect(performance.now() - start).toBeLessThan(PATIENCE);
  }
}

const files: Record<
  string,
  readonly [bytes: Uint8Array, read: (bytes: Uint8Array) => unknown, flips: number]
> = {
  "digits.octette": [artifact, (bytes) => runs(readArtifact(bytes).graph), 1000],
  "digits.octette, hashed again": [
    artifact,
    (bytes) => runs(readArtifact(resealed(bytes.slice())).graph),
    600,
  ],
  "a delta of digits.octette": [delta, (bytes) => applyDelta(artifact, bytes), 1000],
  "a delta of digits.octette, hashed again": [
    delta,
    (bytes) => applyDelta(artifact, resealed(bytes.slice())),
    300,
  ],
  "digits.onnx": [onnx, (bytes) => runs(importOnnx(bytes)), 300],
  "digits_wild.onnx": [wild, (bytes) => runs(importOnnx(bytes)), 100],
  "train.npz": [npz, (bytes) => readNpz(bytes), 500],
};

describe.each(Object.entries(files))("the shipped files: %s", (_, [bytes, read, flips]) => {
  test("is read as it is", () => expect(isRead(read, bytes)).toBe(true));

  test("cut", () => {
    const random = new Random(1);
    const near = (at: number) => [at - 1, at, at + 1];
    const edges = [0, 8, 64, 4096, bytes.length >> 1, bytes.length - 64, bytes.length - 22, bytes.length];
    const ends = [...edges.flatMap(near), ...Array.from({ length: 40 }, () => random.below(bytes.length))];
    for (const end of ends.filter((end) => end >= 0 && end < bytes.length)) isRead(read, bytes.slice(0, end));
  });

  test("with bits flipped anywhere, and where its structure is", () => {
    const random = new Random(2);
    for (let i = 0; i < flips; i++)
      isRead(read, damaged(bytes, random, i % 2 === 0 ? bytes.length : Math.min(bytes.length, 8192)));
  });
});
