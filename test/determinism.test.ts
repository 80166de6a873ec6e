// The promise, engine by engine: the same float file gives the same artifact, and the artifact the same answers. The hashes
// below were made once; every Node and every browser that runs this test must come to them.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { describe, expect, test } from "vitest";
import { inlined } from "../src/engine/inlined";
import type { Model } from "../src/engine/model";
import { readNpz } from "../src/formats/npz";
import { contentHash } from "../src/formats/octette";
import { bytesIn } from "../src/graph/tensor";
import {
  createDataset,
  type Dataset,
  importOnnx,
  quantize,
  readArtifact,
  save,
  tune,
  verify,
} from "../src/index";
import { registry } from "../src/ops/index";
import { createRuntime } from "../src/runtime/create-runtime";
import { engineClasses, exactSources, signedWhere } from "./engine/engines";
import { readExample } from "./examples";

/** SHA-256 of the answers to all of the data; lets go of the model. */
function hashOf(model: Model, data: Dataset): string {
  const hash = sha256.create();
  for (const feeds of data.batches(100)) hash.update(bytesIn(model.runSync(feeds).logits!.data));
  model.dispose();
  return bytesToHex(hash.digest());
}

const expected = {
  digits: {
    content: "f665a6b967ce6e3a5b701c661df81f56b7925bfb4b2befff3f36fd6853b709a2",
    outputs: "1f595fe9301f2b21e9de16a70105aef0569adf3b78039ee0ea41ad0c653a24ed",
  },
  digits_wild: {
    content: "0fa95136d61908d9cb3878f0b03d44ac956a390e5ae6d14c55015ffed70fc10e",
    outputs: "40a9b340baaa2d2304c4f448138f1f006ceb45eaec8b32a2772fd01bff67f58d",
  },
};

for (const [name, hashes] of Object.entries(expected))
  describe(name, async () => {
    const graph = importOnnx(await readExample(`${name}.onnx`), { name });
    const open = async (part: string) =>
      createDataset(readNpz(await readExample(`${part}.npz`)), graph.inputs, {
        normalize: { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] },
      });
    const train = (await open("train")).take(256);
    const made = await quantize(graph, { calibration: train.batches(32) });
    const artifact = save(made.graph);

    test("the artifact is the same", () => expect(readArtifact(artifact).contentHash).toBe(hashes.content));

    test("the batches it was calibrated in do not matter", async () => {
      const again = await quantize(graph, { calibration: train.batches(7) });
      expect(readArtifact(save(again.graph)).contentHash).toBe(readArtifact(artifact).contentHash);
    });

    test.each(
      engineClasses.flatMap((engineClass) => [1, 9].map((batch) => [engineClass, batch] as const)),
    )("the answers are the same bytes: %s, batch %i", async (engineClass, batch) => {
      const test = await open("test");
      const runtime = createRuntime(registry, exactSources);
      const model = runtime.loadSync(artifact, { engineClass, maxima: { batch } });
      expect(hashOf(model, test)).toBe(hashes.outputs);
    });

    test("and where both operands of the relaxed dot product are signed", async () => {
      const runtime = createRuntime(registry, { ...inlined, relaxed: signedWhere("s8s8") });
      const model = runtime.loadSync(artifact, { maxima: { batch: 9 } });
      expect(model.engine.engineClass).toBe("relaxed");
      expect(hashOf(model, await open("test"))).toBe(hashes.outputs);
    });

    test("its self-test passes", async () => expect(await verify(artifact)).toBe(true));
  });

describe("fine-tuning", async () => {
  const graph = importOnnx(await readExample("digits_wild.onnx"), { name: "digits_wild" });
  const arrays = readNpz(await readExample("train.npz"));
  const data = createDataset(arrays, graph.inputs, {
    labels: arrays.get("labels")!,
    normalize: { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] },
  }).take(320);

  test.each([
    [
      "sgd",
      { bits: 2, lr: 0.002, flip: true, clip: 1 },
      "ee7e6b721a48edf9bdda7cdbc19594a51fd1473b067c42433177bef5bca63360",
    ],
    [
      "adamw",
      { bits: 2, lr: 0.001, optimizer: { kind: "adamw" }, accumulate: 2 },
      "dee7dadd9085358413e751882573e67ab3331ea8920eec7fd617040994c57598",
    ],
  ] as const)("the same seed gives the same model: %s", async (_, options, expected) => {
    const { graph: tuned, summary } = await tune(graph, { data, epochs: 2, batch: 32, seed: 7, ...options });
    expect(summary.best).toBeGreaterThan(0);
    expect(contentHash(tuned)).toBe(expected);
  });
});
