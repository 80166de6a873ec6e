// Fine-tuning as a whole: what it keeps, what it says, and that it can be interrupted.

import { beforeAll, describe, expect, test } from "vitest";
import { readNpz } from "../../src/formats/npz";
import { contentHash } from "../../src/formats/octette";
import {
  createDataset,
  type Dataset,
  type Graph,
  importOnnx,
  quantize,
  readArtifact,
  save,
  type TuneOptions,
  tune,
} from "../../src/index";
import { type CheckpointState, readCheckpoint, writeCheckpoint } from "../../src/train/checkpoint/checkpoint";
import { readExample } from "../examples";

const float = importOnnx(await readExample("digits_wild.onnx"), { name: "digits_wild" });

async function open(part: string): Promise<Dataset> {
  const arrays = readNpz(await readExample(`${part}.npz`));
  return createDataset(arrays, float.inputs, {
    labels: arrays.get("labels")!,
    normalize: { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] },
  });
}

const data = (await open("train")).take(640);
/** At 2 bits calibration loses most, and two epochs bring much of it back. */
const quick: TuneOptions = { data, bits: 2, epochs: 2, batch: 32, lr: 0.002 };

describe("digits_wild at 2 bits", () => {
  let tuned: Awaited<ReturnType<typeof tune>>;
  const seen: number[] = [];
  beforeAll(async () => {
    tuned = await tune(float, { ...quick, onStep: ({ step }) => seen.push(step) });
  });

  test("accuracy on validation samples comes back", () => {
    const { before, after, best, epochs, warnings } = tuned.summary;
    expect(after.accuracy).toBeGreaterThan(before.accuracy + 20);
    expect(after.loss).toBeLessThan(before.loss);
    expect(best).toBeGreaterThan(0);
    expect(epochs.length).toBe(2);
    expect(epochs.some(({ changed }) => changed > 0)).toBe(true);
    expect(warnings).toEqual([]);
  });

  test("every step is told, once", () => {
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => i + 1));
    expect(seen.length).toBe(2 * Math.ceil(576 / 32));
  });

  test("weights are codes of 2 bits, and the artifact comes back", () => {
    const codes = [...tuned.graph.constants.values()].filter(
      ({ dtype, shape }) => dtype === "i8" && shape.length > 1,
    );
    expect(codes.length).toBeGreaterThan(3);
    for (const { data } of codes) expect(Math.max(...data.map(Math.abs))).toBe(1);
    expect(readArtifact(save(tuned.graph)).contentHash).toBe(contentHash(tuned.graph));
  });

  test("a deployed model is tuned further without the float one", async () => {
    const again = await tune(readArtifact(save(tuned.graph)).graph, { ...quick, epochs: 1, lr: 0.0003 });
    expect(again.summary.before).toEqual(tuned.summary.after);
    expect(again.summary.after.accuracy).toBeGreaterThanOrEqual(again.summary.before.accuracy);
  });

  test("the same seed gives the same model, another one another", async () => {
    const options = { ...quick, epochs: 1 };
    const [a, b, c] = await Promise.all(
      [0, 0, 1].map((seed) => tune(float, { ...options, seed, flip: true })),
    );
    expect(contentHash(b!.graph)).toBe(contentHash(a!.graph));
    expect(contentHash(c!.graph)).not.toBe(contentHash(a!.graph));
  });
});

test("samples are changed as asked, by the run's own random numbers", async () => {
  const seen: number[] = [];
  const augment: NonNullable<TuneOptions["augment"]> = ({ image, ...rest }, random) => {
    const light = Math.fround(0.9 + 0.2 * random.uniform());
    seen.push(light);
    const data = Float32Array.from(image!.data, (x) => x * light);
    return { ...rest, image: { ...image!, data } };
  };
  const [a, b] = [await tune(float, { ...quick, augment }), await tune(float, { ...quick, augment })];
  expect(contentHash(b.graph)).toBe(contentHash(a.graph));
  expect(seen.slice(0, seen.length / 2)).toEqual(seen.slice(seen.length / 2));
  expect(new Set(seen).size).toBe(seen.length / 2);
  expect(contentHash(a.graph)).not.toBe(contentHash((await tune(float, quick)).graph));
});

test("NaN among augmented samples is refused, with the sample and the input", async () => {
  let step = 0;
  const augment: NonNullable<TuneOptions["augment"]> = ({ image }) => {
    const data = Float32Array.from(image!.data as Float32Array);
    if (++step === 2) data[3 * 64 + 5] = Number.NaN;
    return { image: { ...image!, data } };
  };
  await expect(tune(float, { ...quick, augment })).rejects.toThrow(
    /^training sample \d+, input "image", augmented: NaN cannot be trained on: expected numbers, got NaN at element 5$/,
  );
  expect(step).toBe(2);
});

test("a rate that is too high is noticed, told, and harms nothing", async () => {
  const { graph, summary } = await tune(float, { ...quick, lr: 30 });
  expect(summary.best).toBe(0);
  expect(summary.after).toEqual(summary.before);
  expect(summary.warnings.join("\n")).toMatch(/stopped (at step|behind epoch) \d+.*smaller lr than 30/s);
  expect(summary.warnings.join("\n")).toMatch(/no epoch did better/);
  const { graph: calibrated } = await quantize(float, {
    bits: 2,
    calibration: data.sample(512, 0).batches(32),
  });
  expect(contentHash(graph)).toBe(contentHash(calibrated));
});

describe("interrupted", () => {
  const saved: Uint8Array[] = [];
  const options = (state?: CheckpointState): TuneOptions => ({
    ...quick,
    checkpoint: { state, every: 7, save: (state) => void saved.push(writeCheckpoint(state)) },
  });
  let whole: Graph;
  beforeAll(async () => {
    whole = (await tune(float, options())).graph;
  });

  test("resumed from any checkpoint it ends in the same bytes", async () => {
    expect(saved.length).toBeGreaterThan(3);
    for (const bytes of saved.slice(0, 5)) {
      const { graph } = await tune(float, options(readCheckpoint(bytes)));
      expect(contentHash(graph)).toBe(contentHash(whole));
    }
  });

  test("a checkpoint of another run is told apart", async () => {
    const state = readCheckpoint(saved[0]!);
    await expect(tune(float, { ...options(state), lr: 0.003 })).rejects.toThrow(
      /checkpoint is of another run/,
    );
    await expect(tune(float, { ...options(state), bits: 8 })).rejects.toThrow(/checkpoint is of another run/);
  });

  test("aborted between two steps, it stops before the next", async () => {
    const controller = new AbortController();
    let last = 0;
    const onStep = ({ step }: { step: number }) => {
      last = step;
      if (step === 3) controller.abort();
    };
    await expect(tune(float, { ...quick, onStep, signal: controller.signal })).rejects.toThrow(/abort/i);
    expect(last).toBe(3);
  });

  test("others have their turn meanwhile, and may abort it", async () => {
    const controller = new AbortController();
    let steps = 0;
    const timer = setTimeout(() => controller.abort(), 50);
    const options = { ...quick, epochs: 1000, onStep: () => steps++, signal: controller.signal };
    await expect(tune(float, options)).rejects.toThrow(/abort/i);
    clearTimeout(timer);
    expect(steps).toBeLessThan((1000 * 576) / 32);
  });

  test("an option that is undefined counts as left out", async () => {
    const few = { ...quick, data: data.take(96), epochs: 1 };
    const given = await tune(float, { ...few, seed: undefined, schedule: undefined, clip: undefined });
    const without = await tune(float, few);
    expect(save(given.graph)).toEqual(save(without.graph));
    expect(given.summary.epochs).toHaveLength(1);
    const none = { epochs: undefined, batch: undefined, lr: undefined };
    const { summary } = await tune(float, { ...few, ...none });
    expect(summary.epochs).toHaveLength(3);
  });

  test("waits for what onStep promises", async () => {
    const told: string[] = [];
    await tune(float, {
      ...quick,
      data: data.take(96),
      epochs: 1,
      onBegin: async () => void told.push("begin"),
      async onStep({ step }) {
        told.push(`step ${step}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        told.push(`step ${step} seen`);
      },
      onEpoch: async () => void told.push("epoch"),
    });
    const steps = [1, 2, 3].flatMap((step) => [`step ${step}`, `step ${step} seen`]);
    expect(told).toEqual(["begin", ...steps, "epoch"]);
  });
});

describe("memory", () => {
  test("what fits is chosen and told", async () => {
    const whole = await tune(float, { ...quick, epochs: 1 });
    const budget = Math.floor(whole.summary.bytes * 0.6);
    const fitted = await tune(float, { ...quick, epochs: 1, maxBytes: `${budget / 1000} kB` });
    expect(fitted.summary.bytes).toBeLessThanOrEqual(budget);
    expect(fitted.summary.notes.join()).toMatch(/steps of \d+ an update|instead of all/);
  });

  test("nothing fits: an error before any step", async () => {
    for (const memory of ["much", "", Number.NaN, -1])
      await expect(tune(float, { ...quick, maxBytes: memory })).rejects.toThrow(/maxBytes: invalid size/);
    const { graph } = await quantize(float, { mode: "dynamic" });
    await expect(tune(graph, { ...quick, maxBytes: 1000 })).rejects.toThrow(
      /maxBytes: nothing can be trained in so little memory: expected at least \d+ bytes \([\d.]+ kB\), got \d+ bytes/,
    );
  });
});

const unlabelled = createDataset(
  { image: readNpz(await readExample("train.npz")).get("image")! },
  float.inputs,
  { normalize: { layout: "nchw", scale: 1, mean: [0], std: [1] } },
);

describe("refused", () => {
  test.each<[string, Partial<TuneOptions>, RegExp]>([
    [
      "a file's name for data",
      { data: "train.npz" as never },
      /there are no samples: expected data: a data set, got string.*openDataset/,
    ],
    ["no labels", { data: unlabelled }, /samples need labels/],
    ["nothing to validate on", { validation: 0 }, /nothing to validate on/],
    ["a name that is none", { train: "nothing.*" }, /train: matches nothing: .*got "nothing\.\*"/],
    ["a rate below zero", { lr: -1 }, /optimizer\.lr/],
    ["bits that are none", { bits: 9 }, /invalid number of weight bits/],
  ])("%s", async (_, options, message) => {
    await expect(tune(float, { ...quick, ...options })).rejects.toThrow(message);
  });
});
