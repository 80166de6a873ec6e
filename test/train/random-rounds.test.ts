// What a round of the backward pass computes, held to the whole batch: by every op of training, and by random graphs of all
// that have a gradient. ROUND_GRAPHS says how many (60), ROUND_SEED where they begin (0).

import { expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import type { Graph } from "../../src/graph/graph";
import { printGraph } from "../../src/graph/print";
import { evaluateShape } from "../../src/graph/symbols";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { inferTypes } from "../../src/ops/infer";
import type { Op } from "../../src/ops/op";
import { Trainer } from "../../src/train/run/trainer";
import { TARGET } from "../../src/train/step/losses";
import { createOptimizer } from "../../src/train/step/optimizers";
import { parametersOf } from "../../src/train/step/prepare";
import { batchSymbol, gradientOf } from "../../src/train/step/step";
import { training } from "../../src/train/training";
import { BATCH } from "../engine/cuts";
import { Growing } from "../engine/growing-graph";
import { feedsOf, grow, type MadeOp, madeOps } from "../engine/row-graphs";
import { engine } from "./digits";

const ops = Object.entries<Op>(training.ops);
/** Ops of steps that are of no row: losses judge all of them, updates and codes of weights have none, nor have tokens
 * of one sequence; gradients of recurrent layers sum those of their weights over all rows. */
const OF_NO_ROW =
  "AccumulateGradient AdamwUpdate CachedAttention CausalConv ClippedGradient ConvTransposeWeights CrossEntropy DequantizeWeights Divergence EyeLike GRUGradient " +
  "GeneralDequantize GeneralQuantize KeepWithin LSTMGradient MaxUnpool MeanSquare PutRows QuantizeBias QuantizeWeights RNNGradient ReadState RotaryAngles " +
  "ScaleGradient SgdUpdate StepGradient TakeRows WriteState Zeros";
/** Gradients of what all rows share: of weights, biases, scales and tables, and of what was repeated. */
const SUMS = /(Bias|Gather|Scale|Weight)Gradient$|^SumTo$/;

test("every op of a step says how it treats rows, or is told that it has none", () => {
  const silent = ops.filter(([, { lower, rows, sums }]) => lower && !rows && !sums).map(([name]) => name);
  expect(silent.sort().join(" ")).toBe(OF_NO_ROW);
  for (const [name, { sums }] of ops) if (sums) expect(name).toMatch(SUMS);
});

/** Ops that a gradient passes; without those that make one as large as rounding errors of others. */
const trainable = madeOps.filter((op) => training.gradients[op] && op !== "Div" && op !== "Sqrt");
const first: readonly MadeOp[] = ["Conv", "Gather", "LayerNormalization", "Linear"];

/** A layer and some ops behind it; undefined where none came to be. */
function graphOf(seed: number): { g: Growing; graph: Graph } | undefined {
  const g = new Growing(seed);
  const [a, b, c] = [0, 1, 2].map(() => g.whole(1, 4)) as [number, number, number];
  g.feed(
    g.one([
      [BATCH, a],
      [BATCH, a, b],
      [BATCH, a, b, c],
    ]),
  );
  if (g.chance(0.3)) g.feed(g.one([[a], [1, a], [BATCH, 1], [BATCH, a]]));
  if (!grow(g, g.one(first))) return undefined;
  for (let more = g.whole(1, 4); more > 0; more--) grow(g, g.one(trainable));
  if (!grow(g, trainable[seed % trainable.length]!)) return undefined;
  return { g, graph: g.build(g.computed.at(-1)!.name) };
}

/** More than two rounds, the last one smaller. */
const ROWS = 19;

/** Gradients of every parameter, and whether they were found in rounds; an error where the graph cannot be trained. */
function gradientsOf(graph: Graph, fed: Readonly<Record<string, Tensor>>, inRounds: boolean) {
  const trainer = new Trainer(graph, parametersOf(graph), {
    losses: [{ kind: "meanSquare" }],
    optimizer: createOptimizer({ kind: "sgd", lr: 0.01 }),
    keepsGradients: true,
    batch: ROWS,
    engine,
    inRounds,
  });
  try {
    trainer.run(fed, 0, 1);
    const names = trainer.parameters.map(({ name }) => gradientOf(name));
    const gradients = names
      .filter((name) => trainer.states.includes(name))
      .map((name) => [name, trainer.state(name).slice() as Float32Array] as const);
    if (gradients.length === 0) throw new OctetteError("nothing is trained", { code: "argument" });
    return { gradients, loops: trainer.plan.entries.round!.to > trainer.plan.entries.round!.from };
  } finally {
    trainer.dispose();
  }
}

function checkSeed(seed: number): "in rounds" | "whole" | undefined {
  const made = graphOf(seed);
  if (!made) return undefined;
  const { g, graph } = made;
  const [output] = graph.outputs as [string];
  const fail = (what: string) => new Error(`seed ${seed}: ${what}\n${printGraph(graph)}`);
  let whole: ReturnType<typeof gradientsOf>;
  let fed: Record<string, Tensor>;
  try {
    const { shape } = inferTypes(graph, training.ops).get(output)!;
    const actual = evaluateShape(shape, { [BATCH]: ROWS });
    const target = Array.from({ length: sizeOf(actual) }, () => g.random.between(-1, 1));
    fed = { ...feedsOf(g, graph, ROWS), [TARGET]: tensor("f32", actual, target) };
    whole = gradientsOf(graph, fed, false);
  } catch (error) {
    if (error instanceof OctetteError) return undefined;
    throw fail((error as Error).message);
  }
  const inRounds = gradientsOf(graph, fed, true);
  if (inRounds.loops && batchSymbol(graph) === undefined) throw fail("rows meet, and it runs in rounds");
  const largestOf = (numbers: Float32Array) => numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const largest = Math.max(...whole.gradients.map(([, gradient]) => largestOf(gradient)));
  if (!Number.isFinite(largest)) return undefined;
  for (const [i, [name, expected]] of whole.gradients.entries()) {
    const actual = inRounds.gradients[i]![1];
    // A sum that is 0 but for rounding, such as of a bias before Softmax, is rounded otherwise in rounds.
    const bound = 1e-4 * largestOf(expected) + 1e-6 * largest + 1e-7;
    const at = expected.findIndex((x, j) => !(Math.abs(x - actual[j]!) <= bound));
    if (at >= 0) throw fail(`${name} [${at}] is ${actual[at]} instead of ${expected[at]}, within ${bound}`);
  }
  return inRounds.loops ? "in rounds" : "whole";
}

const GRAPHS = Number(process.env.ROUND_GRAPHS ?? 60);
const SEED = Number(process.env.ROUND_SEED ?? 0);

test(`${GRAPHS} graphs: gradients in rounds are those of all rows at once`, () => {
  const counts = { "in rounds": 0, whole: 0 };
  for (let seed = SEED; counts["in rounds"] + counts.whole < GRAPHS; seed++) {
    const outcome = checkSeed(seed);
    if (outcome) counts[outcome]++;
  }
  expect(counts["in rounds"]).toBeGreaterThan(GRAPHS / 3);
});
