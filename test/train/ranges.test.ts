// Ranges of activations that move while a model is trained: what is trained stays what is deployed, at every step.

import { describe, expect, test } from "vitest";
import type { EngineClass } from "../../src/engine/wasm";
import { contentHash } from "../../src/formats/octette";
import type { Graph } from "../../src/graph/graph";
import { sizeOf, tensor } from "../../src/graph/tensor";
import { type TuneOptions, tune } from "../../src/index";
import { type CheckpointState, readCheckpoint, writeCheckpoint } from "../../src/train/checkpoint/checkpoint";
import { select } from "../../src/train/run/select";
import { Trainer } from "../../src/train/run/trainer";
import { ACTIVATIONS } from "../../src/train/step/activations";
import { LABELS } from "../../src/train/step/losses";
import { createOptimizer } from "../../src/train/step/optimizers";
import { parametersOf } from "../../src/train/step/prepare";
import { sharedOf, withParameters } from "../../src/train/step/quantization-groups";
import { engineClasses, withModel } from "../engine/engines";
import { type Coded, type CodeType, GraphBuilder, randomOf } from "../graph-builder";
import { data, engine, feeds, float, quantized } from "./digits";

const { graph, masters } = await quantized();
const parameters = parametersOf(graph, masters);

interface Options {
  readonly trained?: string;
  readonly engineClass?: EngineClass;
  readonly momentum?: number;
  readonly freezeAt?: number;
  readonly keepsGradients?: boolean;
}

function trainerOf({
  trained = "all",
  engineClass,
  momentum = 0.1,
  freezeAt = Infinity,
  keepsGradients = false,
}: Options = {}) {
  return new Trainer(graph, select(parameters, trained), {
    losses: [{ kind: "crossEntropy" }],
    optimizer: createOptimizer({ kind: "sgd", lr: 0.01, momentum: 0.9 }),
    keepsGradients,
    activations: { kind: "moving", momentum, freezeAt },
    batch: 32,
    engine,
    engineClass,
  });
}

const scalesOf = ({ constants }: Graph) =>
  sharedOf(graph).map(({ scales }) => constants.get(scales[0]!)!.data[0]!);

describe.each(["all", "bias", "scales", "last:2"])("%s", (trained) => {
  test.each(engineClasses)("trained is deployed while ranges move, %s", (engineClass) => {
    const trainer = trainerOf({ trained, engineClass });
    const map = JSON.stringify(trainer.plan.memory);
    let scales = scalesOf(graph);
    for (let step = 1; step <= 4; step++) {
      const fed = feeds(step * 32, step === 3 ? 17 : 32);
      const { [LABELS]: _, ...inputs } = fed;
      const deployed = trainer.graph();
      const { output } = trainer.run(fed, 0.01, step);
      const answer = withModel(deployed, { engineClass, maxima: { batch: 32 } }, (model) =>
        model.runSync(inputs),
      );
      expect(output.data).toEqual(Object.values(answer)[0]!.data);
      const now = scalesOf(trainer.graph());
      // All but that of images, which are 0 to 1 whatever the batch.
      expect(now.filter((scale, i) => scale !== scales[i]).length).toBe(now.length - 1);
      scales = now;
      expect(JSON.stringify(trainer.plan.memory)).toBe(map);
    }
    trainer.dispose();
  });
});

test("behind the step where they freeze, ranges stay, and masters go on", () => {
  const trainer = trainerOf({ freezeAt: 2 });
  const steps = trainer.plan.steps.length;
  for (let step = 1; step <= 2; step++) trainer.run(feeds(step * 32, 32), 0.01, step);
  const frozen = trainer.numbers();
  for (let step = 3; step <= 5; step++) trainer.run(feeds(step * 32, 32), 0.01, step);
  // Nothing looks for ranges any more.
  expect(trainer.plan.outputs.length).toBe(2);
  expect(trainer.plan.steps.length).toBeLessThan(steps);
  const now = trainer.numbers();
  expect(now.get(ACTIVATIONS)).toEqual(frozen.get(ACTIVATIONS));
  expect(now.get("fc.weight")).not.toEqual(frozen.get("fc.weight"));
  trainer.dispose();
});

test("frozen from the first step on, the graph is that of calibration, to the bit", () => {
  const [moving, still] = [trainerOf({ freezeAt: 0 }), trainerOf({ freezeAt: 0 })];
  moving.run(feeds(0, 32), 0, 1);
  moving.restored();
  expect(moving.graph()).toEqual(still.graph());
  expect(scalesOf(moving.graph())).toEqual(scalesOf(graph));
  moving.dispose();
  still.dispose();
});

test("gradients that are kept move ranges as those that are not", () => {
  const [fused, kept] = [trainerOf(), trainerOf({ keepsGradients: true })];
  for (let step = 1; step <= 3; step++) {
    fused.run(feeds(step * 32, 32), 0.01, step);
    kept.run(feeds(step * 32, 32), 0.01, step);
    kept.update(0.01, step, 1);
  }
  expect(kept.numbers()).toEqual(fused.numbers());
  fused.dispose();
  kept.dispose();
});

test("states written to another trainer go on to the same bytes", () => {
  const one = trainerOf();
  for (let step = 1; step <= 3; step++) one.run(feeds(step * 32, 32), 0.01, step);
  const other = trainerOf();
  for (const name of one.states) other.state(name).set(one.state(name));
  other.restored();
  for (const trainer of [one, other])
    for (let step = 4; step <= 6; step++) trainer.run(feeds(step * 32, 32), 0.01, step);
  for (const name of one.states) expect(other.state(name)).toEqual(one.state(name));
  expect(other.graph()).toEqual(one.graph());
  one.dispose();
  other.dispose();
});

const TYPES = ["u8", "i8"] as const;
type LayerOptions = Parameters<GraphBuilder["layer"]>[3];

/** Every way in which codes are made, each in a range that is `part` of one that is wide enough. */
function everyMaker(dtype: CodeType, part: number): Graph {
  const g = new GraphBuilder(7);
  const zero = (code: number) => code - (dtype === "i8" ? 128 : 0);
  const range = (scale: number, code = 128) => ({
    scale: Math.fround(scale * part),
    zeroPoint: zero(code),
    dtype,
  });
  const layer = (op: string, x: Coded, output: string, shape: readonly number[], options: LayerOptions) => {
    const w = g.weights(`${output}_w`, shape, 0);
    const b = g.bias(`${output}_b`, w, sizeOf(shape.slice(1)));
    return g.layer(op, [x, w, b], output, options);
  };
  g.input("x", ["batch", 3, 5, 5]);
  const x = g.quantize("x", range(1 / 128));
  const pads = [1, 1, 1, 1];
  const conv = layer("Conv", x, "conv", [4, 3, 3, 3], {
    attributes: { pads },
    activation: "Relu",
    range: range(0.2, 0),
  });
  const depthwise = layer("Conv", conv, "depthwise", [4, 1, 3, 3], {
    attributes: { pads, group: 4 },
    range: range(1.2),
  });
  const add = g.layer("Add", [conv, depthwise], "add", { activation: "Relu", range: range(0.7, 0) });
  const table = g.layer("Tanh", [depthwise], "table", { range: range(1 / 120) });
  const pooled = g.layer("MaxPool", [add], "pooled", {
    attributes: { kernel_shape: [1, 1] },
    range: add.range,
  });
  const joined = g.layer("Concat", [pooled, table], "joined", { attributes: { axis: 1 }, range: range(1) });
  const mean = g.layer("AveragePool", [joined], "mean", {
    attributes: { kernel_shape: [2, 2], strides: [1, 2] },
    range: range(0.8),
  });
  const global = g.layer("GlobalAveragePool", [mean], "global", { range: range(0.4) });
  const flat = g.layer("Flatten", [global], "flat", { range: global.range });
  const logits = layer("Linear", flat, "logits", [6, 8], { range: range(1.5) });
  for (const coded of [x, conv, depthwise, add, table, joined, mean, global])
    g.dequantize(coded, `${coded.codes}_seen`);
  g.dequantize(logits, "out");
  return g.build(
    "out",
    ...["x", "conv", "depthwise", "add", "table", "joined", "mean", "global"].map(
      (name) => `${name}_codes_seen`,
    ),
  );
}

describe.each(TYPES)("codes of %s", (dtype) => {
  test.each([1, 0.3])("what is seen is what becomes codes, in %f of their range", (part) => {
    const made = everyMaker(dtype, part);
    const trainer = new Trainer(made, select(parametersOf(made), "all"), {
      losses: [{ kind: "crossEntropy" }],
      optimizer: createOptimizer({ kind: "sgd", lr: 0 }),
      keepsGradients: false,
      activations: { kind: "moving", momentum: 1, freezeAt: Infinity },
      batch: 4,
      engine,
    });
    const { between } = randomOf(3);
    const x = tensor(
      "f32",
      [3, 3, 5, 5],
      Array.from({ length: 225 }, () => between(-0.9, 0.9)),
    );
    trainer.run({ x, [LABELS]: tensor("i32", [3], [0, 3, 5]) }, 0, 1);
    const seen = trainer.state(ACTIVATIONS) as Float32Array;
    const all = sharedOf(made);
    const answers = withModel(made, { maxima: { batch: 4 } }, (model) => model.runSync({ x }));
    const names = ["x", "conv", "depthwise", "add", "table", "joined", "mean", "global"];
    let clipped = 0;
    for (const name of [...names, "logits"]) {
      const i = all.findIndex(({ made }) => made.includes(`${name}_codes`));
      const { scale, zeroPoint } = all[i]!;
      const values = answers[name === "logits" ? "out" : `${name}_codes_seen`]!.data as Float32Array;
      for (const [j, found] of [Math.min(...values), Math.max(...values)].entries()) {
        const bound = (j * 255 - zeroPoint) * scale;
        const own = seen[2 * i + j]!;
        const isClipped = found === Math.fround(bound);
        if (isClipped) clipped++;
        if (isClipped) expect(j === 0 ? own - found : found - own, name).toBeLessThanOrEqual(0.51 * scale);
        else expect(Math.abs(own - found), name).toBeLessThanOrEqual(0.51 * scale);
      }
    }
    expect(all.flatMap(({ made }) => made).sort()).toEqual(
      [...names, "logits"].map((name) => `${name}_codes`).sort(),
    );
    if (part < 1) expect(clipped).toBeGreaterThan(5);
    // What was seen becomes the range, and the next step computes what is then deployed.
    const next = trainer.graph();
    const { output } = trainer.run({ x, [LABELS]: tensor("i32", [3], [0, 3, 5]) }, 0, 2);
    const deployed = withModel(next, { maxima: { batch: 4 } }, (model) => model.runSync({ x }));
    expect(output.data).toEqual(deployed.out!.data);
    trainer.dispose();
  });
});

test("where two ranges come to be the same, a Concat only copies codes, and training goes on", () => {
  const g = new GraphBuilder(3);
  g.input("x", ["batch", 6]);
  const range = (scale: number) => ({ scale: Math.fround(scale), zeroPoint: 0, dtype: "u8" }) as const;
  const x = g.quantize("x", { scale: Math.fround(1 / 64), zeroPoint: 128, dtype: "u8" });
  const w = g.weights("w", [5, 6], 0);
  const layer = g.layer("Linear", [x, w, g.bias("bias", w, 6)], "h", {
    attributes: { transB: 1 },
    range: range(1),
  });
  const clip = (input: Coded, name: string, scale: number) =>
    g.layer("Clip", [input], name, { attributes: { min: 0, max: 1 }, range: range(scale) });
  const [a, b] = [clip(layer, "a", 1 / 200), clip(layer, "b", 1 / 150)] as [Coded, Coded];
  g.dequantize(
    g.layer("Concat", [a, b], "joined", { attributes: { axis: 1 }, range: range(1 / 100) }),
    "out",
  );
  const made = g.build("out");
  const trainer = new Trainer(made, select(parametersOf(made), "all"), {
    losses: [{ kind: "crossEntropy" }],
    optimizer: createOptimizer({ kind: "sgd", lr: 0.01, momentum: 0.9 }),
    keepsGradients: false,
    activations: { kind: "moving", momentum: 1, freezeAt: 3 },
    batch: 4,
    engine,
  });
  const input = tensor(
    "f32",
    [3, 6],
    Array.from({ length: 18 }, (_, i) => ((i * 7) % 13) / 6 - 1),
  );
  const fed = { x: input, [LABELS]: tensor("i32", [3], [0, 7, 4]) };
  const memory = trainer.plan.memory.constantBytes;
  for (let step = 1; step <= 4; step++) {
    const graph = trainer.graph();
    const { output } = trainer.run(fed, 0.01, step);
    const { out } = withModel(graph, { maxima: { batch: 4 } }, (model) => model.runSync({ x: input }));
    expect(output.data).toEqual(out!.data);
  }
  const now = trainer.graph().constants;
  for (const name of ["a", "b", "joined"])
    expect(now.get(`${name}_scale`)!.data[0]).toBe(Math.fround(1 / 255));
  expect(trainer.plan.memory.constantBytes).toBeLessThan(memory);
  expect(trainer.state("w_codes")).not.toEqual(parametersOf(made)[0]!.start.data);
  trainer.dispose();
});

describe("which values share parameters", () => {
  const one = { scale: Math.fround(0.02), zeroPoint: 3, dtype: "u8" } as const;

  test("codes that are only moved have those of what made them, whatever constants hold them", () => {
    const g = new GraphBuilder();
    g.input("x", ["batch", 2, 4, 4]);
    const x = g.quantize("x", one);
    const pooled = g.layer("MaxPool", [x], "pooled", { attributes: { kernel_shape: [2, 2] }, range: one });
    g.dequantize(g.layer("Sigmoid", [pooled], "y", { range: { ...one, scale: 1 / 255 } }), "out");
    const [moved, other, ...rest] = sharedOf(g.build("out"));
    expect(rest).toEqual([]);
    expect(moved).toMatchObject({ made: ["x_codes"], scale: one.scale, zeroPoint: 3 });
    expect([...moved!.scales].sort()).toEqual(["pooled_scale", "x_scale"]);
    expect(other).toMatchObject({ made: ["y_codes"], scales: ["y_scale"] });
    const graph = withParameters(g.build("out"), [[moved!, { scale: 0.5, zeroPoint: 9 }]]);
    for (const name of ["x", "pooled"]) {
      expect(graph.constants.get(`${name}_scale`)!.data[0]).toBe(0.5);
      expect(graph.constants.get(`${name}_zero_point`)!.data[0]).toBe(9);
    }
    expect(graph.constants.get("y_zero_point")!.data[0]).toBe(3);
  });

  test("constants that hold numbers of two kinds stay, and codes without a zero point", () => {
    const g = new GraphBuilder();
    g.input("x", ["batch", 8]);
    const x = g.quantize("x", one);
    const zero = g.constant("other_zero", tensor("u8", [], [4]));
    const twice = { codes: "twice_codes", scale: x.scale, zeroPoint: zero };
    g.node("QuantizeLinear", ["x", x.scale, zero], twice.codes);
    g.node("QuantizeLinear", ["x", "own_scale"], "bare_codes");
    g.constant("own_scale", tensor("f32", [], [0.1]));
    for (const coded of [x, twice, { codes: "bare_codes", scale: "own_scale" }])
      g.dequantize(coded, `${coded.codes}_real`);
    expect(sharedOf(g.build("x_codes_real", "twice_codes_real", "bare_codes_real"))).toEqual([]);
  });
});

describe("tune", () => {
  const saved: Uint8Array[] = [];
  const options = (state?: CheckpointState): TuneOptions => ({
    data: data.take(320),
    bits: 4,
    epochs: 2,
    batch: 32,
    lr: 0.001,
    ranges: { kind: "moving", momentum: 0.05, freezeAt: 0.7 },
    checkpoint: { state, every: 5, save: (state) => void saved.push(writeCheckpoint(state)) },
  });

  test("resumed while ranges move, and behind, it ends in the same bytes", async () => {
    const whole = await tune(float, options());
    expect(whole.summary.best).toBeGreaterThan(0);
    const scales = (g: Graph) => sharedOf(g).map(({ scale }) => scale);
    const still = await tune(float, { ...options(), ranges: { kind: "frozen" } });
    expect(scales(whole.graph)).not.toEqual(scales(still.graph));
    expect(saved.length).toBeGreaterThan(5);
    for (const bytes of saved.slice(0, 3)) {
      const { graph } = await tune(float, options(readCheckpoint(bytes)));
      expect(contentHash(graph)).toBe(contentHash(whole.graph));
    }
    const frozen = saved[0]!;
    await expect(
      tune(float, { ...options(readCheckpoint(frozen)), ranges: { kind: "frozen" } }),
    ).rejects.toThrow(/checkpoint is of another run.*ranges/);
  });

  test.each<[string, TuneOptions["ranges"], RegExp]>([
    ["a kind", { kind: "nailed" } as never, /ranges\.kind.*"frozen" or "moving"/],
    ["a momentum", { kind: "moving", momentum: 0 }, /ranges\.momentum/],
    ["a step", { kind: "moving", freezeAt: 2.5 }, /ranges\.freezeAt/],
  ])("refuses %s that is none", async (_, ranges, message) => {
    await expect(tune(float, { ...options(), ranges: ranges! })).rejects.toThrow(message);
  });
});
