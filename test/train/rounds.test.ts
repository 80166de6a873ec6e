// The backward pass in rounds of a few rows: the gradients of the whole batch, in less memory.

import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { quantize } from "../../src/index";
import {
  AdaptiveAvgPool2d,
  add,
  Conv2d,
  cat,
  Embedding,
  Flatten,
  GELU,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  mul,
  ReLU,
  Sequential,
  SiLU,
  trace,
  type Value,
} from "../../src/nn/index";
import { type Choice, fitMemory } from "../../src/train/run/budget";
import { select } from "../../src/train/run/select";
import { Trainer } from "../../src/train/run/trainer";
import { choiceOf } from "../../src/train/run/tune-options";
import { ACTIVATION_GRADIENTS, type ActivationOptions } from "../../src/train/step/activations";
import { LABELS } from "../../src/train/step/losses";
import { ROUND } from "../../src/train/step/micro-batches";
import { createOptimizer } from "../../src/train/step/optimizers";
import { takesRounds } from "../../src/train/step/plan";
import { type Masters, parametersOf } from "../../src/train/step/prepare";
import { gradientOf, stepOf } from "../../src/train/step/step";
import { GraphBuilder, randomOf } from "../graph-builder";
import { data, engine, feeds, float, quantized } from "./digits";

const models: Readonly<Record<string, { graph: Graph; masters?: Masters }>> = {
  float: { graph: float },
  "8 bits": await quantized(),
  "4 bits": await quantized(4),
  dynamic: await quantize(float, { mode: "dynamic" }),
};

/** Steps that run once a round. */
const stepsOf = ({ plan }: Trainer) => plan.entries.round!.to - plan.entries.round!.from;

interface Options {
  readonly batch: number;
  readonly keepsGradients?: boolean;
  readonly inRounds?: boolean;
  readonly activations?: ActivationOptions | undefined;
}

const optionsOf = ({ batch, keepsGradients = true, activations, inRounds }: Options) => ({
  inRounds,
  losses: [{ kind: "crossEntropy" }] as const,
  optimizer: createOptimizer({ kind: "sgd", lr: 0.01 }),
  keepsGradients,
  activations,
  batch,
  engine,
});

function trainerOf(name: string, options: Options): Trainer {
  const { graph, masters } = models[name]!;
  return new Trainer(graph, select(parametersOf(graph, masters)), optionsOf(options));
}

/** Means over the batch are taken by part: each counts as often as it has samples. */
function expectSame(whole: ArrayLike<number>, parts: readonly (readonly [Float32Array, number])[]): void {
  const largest = Array.from(whole).reduce((most, g) => Math.max(most, Math.abs(g)), 0);
  expect(largest).toBeGreaterThan(0);
  for (let i = 0; i < whole.length; i++) {
    const sum = parts.reduce((total, [part, share]) => total + share * part[i]!, 0);
    expect(Math.abs(whole[i]! - sum)).toBeLessThanOrEqual(1e-4 * largest);
  }
}

describe.each(Object.keys(models))("%s", (name) => {
  const kinds: [string, ActivationOptions | undefined][] = [["frozen", undefined]];
  if (name.endsWith("bits")) kinds.push(["learned", { kind: "learned" }]);
  test.each(kinds)("rounds sum to the gradients of the whole, scales of activations %s", (_, activations) => {
    for (const count of [32, 19, ROUND, 1]) {
      const inRounds = trainerOf(name, { batch: 32, activations, inRounds: true });
      expect(stepsOf(inRounds)).toBeGreaterThan(0);
      inRounds.run(feeds(0, count), 0, 1);
      // No more than a round at once, so that nothing runs in rounds.
      const parts = Array.from({ length: Math.ceil(count / ROUND) }, (_, i) => {
        const trainer = trainerOf(name, { batch: ROUND, activations });
        expect(stepsOf(trainer)).toBe(0);
        const rows = Math.min(ROUND, count - i * ROUND);
        trainer.run(feeds(i * ROUND, rows), 0, 1);
        return [trainer, rows / count] as const;
      });
      const names = inRounds.parameters.map((parameter) => gradientOf(parameter.name));
      for (const state of activations ? [...names, ACTIVATION_GRADIENTS] : names)
        expectSame(
          inRounds.state(state),
          parts.map(([trainer, share]) => [trainer.state(state) as Float32Array, share]),
        );
      for (const trainer of [inRounds, ...parts.map(([part]) => part)]) trainer.dispose();
    }
  });
});

/** Most layers there are, in branches that meet again. */
class Net extends Module {
  readonly stem = new Sequential(new Conv2d(3, 8, 3, { padding: 1 }), new ReLU());
  readonly depthwise = new Conv2d(8, 8, 3, { padding: 1, groups: 8 });
  readonly grouped = new Conv2d(8, 8, 3, { padding: 1, groups: 2 });
  readonly pointwise = new Conv2d(8, 16, 1);
  readonly act = new SiLU();
  readonly pool = new MaxPool2d(2);
  readonly head = new Sequential(new AdaptiveAvgPool2d(1), new Flatten(), new Linear(24, 6));

  forward(x: Value): Value {
    const stem = this.stem.forward(x);
    const block = add(stem, this.act.forward(this.depthwise.forward(stem)));
    const pooled = this.pool.forward(add(block, this.grouped.forward(block)));
    return this.head.forward(cat([this.pointwise.forward(pooled), pooled]));
  }
}

/** A layer that is read twice. */
class Tied extends Module {
  readonly twice = new Linear(12, 12);
  readonly act = new GELU();
  readonly out = new Linear(12, 6);

  forward(x: Value): Value {
    const hidden = this.twice.forward(x);
    return this.out.forward(mul(this.act.forward(this.twice.forward(hidden)), hidden));
  }
}

const words = new Sequential(new Embedding(13, 8), new LayerNorm(8), new Flatten(), new Linear(40, 6));
const numbers = (shape: readonly number[]): Tensor => {
  const { between } = randomOf(shape[0]!);
  return tensor(
    "f32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => between(-1, 1)),
  );
};
const picked = (shape: readonly number[]): Tensor => {
  const { below } = randomOf(shape[0]!);
  return tensor(
    "i32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => below(13)),
  );
};
const net = trace(new Net().initialize(1), ["batch", 3, 8, 8]);
const tied = trace(new Tied().initialize(1));

describe.each([
  ["an embedding and LayerNorm", trace(words.initialize(1), ["batch", 5]), picked, [5]],
  ["a layer that is read twice", tied, numbers, [12]],
  ["the same, dynamic", (await quantize(tied, { mode: "dynamic" })).graph, numbers, [12]],
  ["branches that meet", net, numbers, [3, 8, 8]],
  [
    "the same, in codes",
    (await quantize(net, { calibration: [{ input: numbers([64, 3, 8, 8]) }] })).graph,
    numbers,
    [3, 8, 8],
  ],
] as const)("%s", (_, graph, samples, shape) => {
  test.each([30, 13, 8, 1])("%i rows: gradients in rounds are those of all rows at once", (count) => {
    const fed = {
      [graph.inputs[0]!.name]: samples([count, ...shape]),
      [LABELS]: tensor(
        "i32",
        [count],
        Array.from({ length: count }, (_, i) => (i * 7) % 6),
      ),
    };
    const [whole, inRounds] = [false, true].map((inRounds) => {
      const options = optionsOf({ batch: 30, inRounds });
      const trainer = new Trainer(graph, select(parametersOf(graph)), options);
      expect(stepsOf(trainer) > 0).toBe(inRounds);
      trainer.run(fed, 0, 1);
      return trainer;
    }) as [Trainer, Trainer];
    for (const { name } of whole.parameters) {
      const state = inRounds.state(gradientOf(name)) as Float32Array;
      expectSame(whole.state(gradientOf(name)), [[state, 1]]);
    }
    whole.dispose();
    inRounds.dispose();
  });
});

test("a profile has the time of every step, those of all rounds together", () => {
  const trainer = trainerOf("8 bits", { batch: 32, inRounds: true });
  const times = trainer.profile(feeds(0, 32));
  expect(times.length).toBe(trainer.plan.steps.length);
  expect(times.every((ms) => ms >= 0)).toBe(true);
  trainer.dispose();
});

/** Two products of rows; where rows meet, the mean over all of them is taken off. */
function products(width: number, meet: boolean): Graph {
  const b = new GraphBuilder();
  b.input("x", ["batch", width]);
  const w = [b.floats("w", [width, width], 1), b.floats("v", [10, width], 1)];
  b.node("Linear", ["x", w[0]!], "hidden");
  const mean = () => b.node("ReduceMean", ["hidden"], "mean", { axes: [0], keepdims: 1 });
  const hidden = meet ? b.node("Sub", ["hidden", mean()], "centred") : "hidden";
  b.node("Linear", [hidden, w[1]!], "y");
  return b.build("y");
}

describe("decided by what a step takes", () => {
  const options = (batch: number) => optionsOf({ batch, keepsGradients: false });
  const decided = (graph: Graph, batch: number) =>
    takesRounds(graph, select(parametersOf(graph)), options(batch));

  test("where activations are large, and the batch is not one round", () => {
    expect(decided(models["8 bits"]!.graph, 32)).toBe(true);
    expect(decided(models["8 bits"]!.graph, ROUND)).toBe(false);
    expect(decided(products(64, false), 512)).toBe(true);
  });

  test("not where gradients of weights outweigh those of activations", () => {
    expect(decided(products(64, false), 32)).toBe(false);
  });

  test("alike where gradients are kept", () => {
    for (const batch of [32, 512]) {
      const kept = optionsOf({ batch });
      const graph = products(64, false);
      expect(takesRounds(graph, select(parametersOf(graph)), kept)).toBe(decided(graph, batch));
    }
  });

  test("micro-batches: only where rows do not meet", () => {
    const wanted = { train: "all", batch: 512, accumulate: 1 } as const;
    const fitted = (meet: boolean, share: number) => {
      const graph = products(64, meet);
      const optionsFor = ({ batch, accumulate }: Choice) => ({
        ...options(batch),
        keepsGradients: accumulate > 1,
      });
      const all = parametersOf(graph);
      const { bytes } = fitMemory(graph, all, wanted, Infinity, optionsFor);
      return fitMemory(graph, all, wanted, share * bytes, optionsFor);
    };
    expect(fitted(false, 0.7)).toMatchObject({ train: "all", batch: 256, accumulate: 2 });
    expect(fitted(true, 1)).toMatchObject(wanted);
    expect(() => fitted(true, 0.4)).toThrow(/nothing can be trained in so little memory/);
    const scales = { data, train: "scales", batch: 64 } as const;
    expect(choiceOf(scales, products(64, true), 512, false)).toMatchObject({ batch: 64, accumulate: 1 });
    expect(choiceOf(scales, products(64, false), 512, true)).toMatchObject({ batch: 16, accumulate: 4 });
  });

  test("not where rows meet: there is no such step", () => {
    const graph = products(64, true);
    const step = stepOf(graph, select(parametersOf(graph)), { ...options(512), inRounds: true });
    expect(step.rounds).toBeUndefined();
    expect(decided(graph, 512)).toBe(false);
  });
});
