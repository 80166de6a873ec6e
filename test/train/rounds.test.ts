// The backward pass in rounds of a few rows: the gradients of the whole batch, in less memory.

import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph";
import { quantize } from "../../src/index";
import { ACTIVATION_GRADIENTS, type ActivationOptions } from "../../src/train/activations";
import { createOptimizer } from "../../src/train/optimizers";
import { takesRounds } from "../../src/train/plan";
import { type Masters, parametersOf } from "../../src/train/prepare";
import { ROUND } from "../../src/train/rounds";
import { select } from "../../src/train/select";
import { gradientOf, stepOf } from "../../src/train/step";
import { Trainer } from "../../src/train/trainer";
import { GraphBuilder } from "../graph-builder";
import { engine, feeds, float, quantized } from "./digits";

const models: Readonly<Record<string, { graph: Graph; masters?: Masters }>> = {
  float: { graph: float },
  "8 bits": await quantized(),
  "4 bits": await quantized(4),
  dynamic: await quantize(float, { mode: "dynamic" }),
};

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
      const { from, to } = inRounds.plan.loop;
      expect(to).toBeGreaterThan(from);
      inRounds.run(feeds(0, count), 0, 1);
      // No more than a round at once, so that nothing runs in rounds.
      const parts = Array.from({ length: Math.ceil(count / ROUND) }, (_, i) => {
        const trainer = trainerOf(name, { batch: ROUND, activations });
        expect(trainer.plan.loop).toEqual({ from: 0, to: 0 });
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
  const w = [b.floats("w", [width, width], 1), b.floats("v", [width, 10], 1)];
  b.node("MatMul", ["x", w[0]!], "hidden");
  const mean = () => b.node("ReduceMean", ["hidden"], "mean", { axes: [0], keepdims: 1 });
  const hidden = meet ? b.node("Sub", ["hidden", mean()], "centred") : "hidden";
  b.node("MatMul", [hidden, w[1]!], "y");
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

  test("not where rows meet: there is no such step", () => {
    const graph = products(64, true);
    const step = stepOf(graph, select(parametersOf(graph)), { ...options(512), inRounds: true });
    expect(step.rounds).toBeUndefined();
    expect(decided(graph, 512)).toBe(false);
  });
});
