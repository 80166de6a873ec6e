// Scales that are learned, of weights and of activations: what is trained stays what is deployed, and gradients are those of
// "Learned step size quantization".

import { describe, expect, test } from "vitest";
import type { EngineClass } from "../../src/engine/wasm";
import { contentHash } from "../../src/formats/octette";
import { readArtifact, save, type TuneOptions, tune } from "../../src/index";
import { rne } from "../../src/ops/codes";
import { type CheckpointState, readCheckpoint, writeCheckpoint } from "../../src/train/checkpoint/checkpoint";
import { select } from "../../src/train/run/select";
import { Trainer } from "../../src/train/run/trainer";
import { ACTIVATIONS } from "../../src/train/step/activations";
import { LABELS } from "../../src/train/step/losses";
import { createOptimizer, type OptimizerOptions } from "../../src/train/step/optimizers";
import { parametersOf, SCALE_ROOM, type WeightScales } from "../../src/train/step/prepare";
import { gradientOf } from "../../src/train/step/step";
import { engineClasses, withModel } from "../engine/engines";
import { data, engine, feeds, float, quantized } from "./digits";

const models = { "8 bits": await quantized(8), "4 bits": await quantized(4) };
const SGD: OptimizerOptions = { kind: "sgd", lr: 0.01, momentum: 0.9, weightDecay: 0.01 };

interface Options {
  readonly bits?: keyof typeof models;
  readonly scales?: WeightScales;
  readonly learnsActivations?: boolean;
  readonly optimizer?: OptimizerOptions;
  readonly trained?: string;
  readonly engineClass?: EngineClass;
  readonly keepsGradients?: boolean;
}

function trainerOf(options: Options): Trainer {
  const {
    bits = "8 bits",
    scales = "learned",
    trained = "all",
    keepsGradients = false,
    engineClass,
  } = options;
  const { graph, masters } = models[bits];
  return new Trainer(graph, select(parametersOf(graph, masters, scales), trained), {
    losses: [{ kind: "crossEntropy" }],
    optimizer: createOptimizer(options.optimizer ?? SGD),
    keepsGradients,
    activations: options.learnsActivations ? { kind: "learned" } : undefined,
    batch: 32,
    engine,
    engineClass,
  });
}

const cases: readonly (readonly [string, Options])[] = [
  ["weights", {}],
  ["weights of 4 bits, AdamW", { bits: "4 bits", optimizer: { kind: "adamw", lr: 0.001 } }],
  ["activations", { scales: "follow", learnsActivations: true }],
  ["activations of the last layers", { scales: "follow", learnsActivations: true, trained: "last:3" }],
  ["activations, where only biases move", { scales: "follow", learnsActivations: true, trained: "bias" }],
  ["both, of 4 bits", { bits: "4 bits", learnsActivations: true }],
];

describe.each(cases)("%s", (_, options) => {
  test.each(
    engineClasses,
  )("trained is deployed: the same bytes, before and after steps, %s", (engineClass) => {
    const trainer = trainerOf({ ...options, engineClass });
    const start = trainer.numbers();
    for (let step = 1; step <= 4; step++) {
      const fed = feeds(step * 32, step === 3 ? 17 : 32);
      const { [LABELS]: __, ...inputs } = fed;
      const graph = trainer.graph();
      const { output } = trainer.run(fed, 0.01, step);
      const answer = withModel(graph, { engineClass, maxima: { batch: 32 } }, (model) =>
        model.runSync(inputs),
      );
      expect(output.data).toEqual(Object.values(answer)[0]!.data);
    }
    const now = trainer.numbers();
    const learned = [...now.keys()].filter((name) => /\.step$/.test(name) || name === ACTIVATIONS);
    expect(learned.length).toBeGreaterThan(0);
    for (const name of learned) expect(now.get(name), name).not.toEqual(start.get(name));
    trainer.dispose();
  });

  test("gradients that are kept update as those that are not", () => {
    const [fused, kept] = [trainerOf(options), trainerOf({ ...options, keepsGradients: true })];
    for (let step = 1; step <= 3; step++) {
      fused.run(feeds(step * 32, 32), 0.01, step);
      kept.run(feeds(step * 32, 32), 0.01, step);
      kept.update(0.01, step, 1);
    }
    expect(kept.numbers()).toEqual(fused.numbers());
    fused.dispose();
    kept.dispose();
  });
});

describe("weights", () => {
  const kept = (scales: WeightScales) => trainerOf({ bits: "4 bits", scales, keepsGradients: true });

  test("as training begins, codes are those that follow, and gradients of scales sum rounding residues", () => {
    const [learned, following] = [kept("learned"), kept("follow")];
    expect(learned.graph()).toEqual(models["4 bits"].graph);
    for (const trainer of [learned, following]) trainer.run(feeds(0, 32), 0, 1);
    let steps = 0;
    for (const { kind, name, coded, start } of learned.parameters) {
      if (kind !== "step") continue;
      steps++;
      const weight = learned.parameters.find((p) => p.kind === "weight" && p.coded!.codes === coded!.codes)!;
      const [w, dw] = [weight.start.data, following.state(gradientOf(weight.name))];
      expect(learned.state(gradientOf(weight.name))).toEqual(dw);
      const ds = learned.state(gradientOf(name));
      const channels = weight.start.shape[0]!;
      const inner = w.length / channels;
      const expected = new Float64Array(channels);
      for (const [i, v] of w.entries()) {
        const c = Math.floor(i / inner);
        const ratio = Math.fround(v / start.data[c]!);
        expected[c]! += dw[i]! * (rne(ratio) - ratio);
      }
      const factor = 1 / Math.sqrt((w.length / channels) * coded!.limit);
      const largest = expected.reduce((most, slope) => Math.max(most, Math.abs(slope)), 0) * factor;
      for (const [c, slope] of expected.entries())
        expect(Math.abs(ds[c]! - factor * slope), name).toBeLessThanOrEqual(1e-4 * largest + 1e-12);
    }
    expect(steps).toBe(learned.parameters.filter(({ kind }) => kind === "weight").length);
    learned.dispose();
    following.dispose();
  });

  test("weights out of range have no gradient, and their codes are the last ones", () => {
    const trainer = kept("learned");
    const step = trainer.parameters.find(({ kind }) => kind === "step")!;
    const weight = trainer.parameters.find(({ kind }) => kind === "weight")!;
    const scales = trainer.state(step.name);
    scales.set(scales.map((scale) => scale * 0.5));
    trainer.run(feeds(0, 32), 0, 1);
    const { limit, codes } = weight.coded!;
    const inner = weight.start.data.length / scales.length;
    const gradient = trainer.state(gradientOf(weight.name));
    const deployed = trainer.graph().constants.get(codes)!.data;
    let out = 0;
    for (const [i, w] of weight.start.data.entries()) {
      const q = rne(Math.fround(w / scales[Math.floor(i / inner)]!));
      expect(deployed[i]).toBe(Math.max(-limit, Math.min(limit, q)));
      if (Math.abs(q) <= limit) continue;
      out++;
      expect(gradient[i]).toBe(0);
    }
    expect(out).toBeGreaterThan(0);
    expect(gradient.some((g) => g !== 0)).toBe(true);
    trainer.dispose();
  });

  test("steps stay positive at rates that are far too high", () => {
    const trainer = trainerOf({ learnsActivations: true });
    const start = trainer.numbers();
    for (let step = 1; step <= 6; step++) trainer.run(feeds(step * 32, 32), 30, step);
    for (const [name, now] of trainer.numbers()) {
      if (!name.endsWith(".step") && name !== ACTIVATIONS) continue;
      const first = start.get(name)!;
      for (const scale of now) {
        expect(scale, name).toBeGreaterThanOrEqual(Math.min(...first) / SCALE_ROOM);
        expect(scale, name).toBeLessThanOrEqual(Math.max(...first) * SCALE_ROOM);
      }
    }
    trainer.dispose();
  });
});

describe("tune", () => {
  const saved: Uint8Array[] = [];
  const options = (state?: CheckpointState): TuneOptions => ({
    data: data.take(320),
    bits: 2,
    epochs: 2,
    batch: 32,
    lr: 0.002,
    scales: "learned",
    activationScales: "learned",
    checkpoint: { state, every: 7, save: (state) => void saved.push(writeCheckpoint(state)) },
  });

  test("accuracy comes back, a file holds it, and resumed it ends in the same bytes", async () => {
    const { graph, summary } = await tune(float, options());
    expect(summary.after.accuracy).toBeGreaterThan(summary.before.accuracy + 10);
    expect(summary.trained.some((name) => name.endsWith(".step"))).toBe(true);
    const read = readArtifact(save(graph));
    expect(read.contentHash).toBe(contentHash(graph));
    for (const bytes of saved.slice(0, 2)) {
      const resumed = await tune(float, options(readCheckpoint(bytes)));
      expect(contentHash(resumed.graph)).toBe(contentHash(graph));
    }
    const again = await tune(read.graph, { ...options(), epochs: 1, lr: 0.0003, checkpoint: { save() {} } });
    expect(again.summary.before).toEqual(summary.after);
  });

  test("gradients that are summed over steps and clipped, in little memory", async () => {
    const whole = await tune(float, { ...options(), epochs: 1, checkpoint: { save() {} } });
    const memory = Math.floor(whole.summary.bytes * 0.7);
    const fitted = await tune(float, {
      ...options(),
      epochs: 1,
      maxBytes: memory,
      clip: 5,
      checkpoint: { save() {} },
    });
    expect(fitted.summary.bytes).toBeLessThanOrEqual(memory);
    expect(fitted.summary.epochs.length).toBe(1);
  });

  test.each<[string, Partial<TuneOptions>]>([
    ["scales", { scales: "learnt" as never }],
    ["activationScales", { activationScales: "follow" as never }],
  ])("refuses %s in no way that there is", async (name, wrong) => {
    const expected = new RegExp(`${name}: invalid choice for scales: expected .* or learned`);
    await expect(tune(float, { ...options(), ...wrong })).rejects.toThrow(expected);
  });

  test("ranges cannot move where scales are learned", async () => {
    await expect(tune(float, { ...options(), ranges: { kind: "moving" } })).rejects.toThrow(
      /ranges\.kind.*learned/,
    );
  });
});
