// Recurrent layers over codes are trained: their master weights move, gradients are near those of the float layer, and the graph that is exported
// computes what the last step did.

import { describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/wasm";
import type { Graph } from "../../src/graph/graph";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { quantize } from "../../src/index";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { train } from "../../src/train/inlined";
import { select } from "../../src/train/run/select";
import { Trainer } from "../../src/train/run/trainer";
import { LABELS } from "../../src/train/step/losses";
import { createOptimizer } from "../../src/train/step/optimizers";
import { type Masters, parametersOf } from "../../src/train/step/prepare";
import { gradientOf } from "../../src/train/step/step";
import { exactSources, withModel } from "../engine/engines";
import { GraphBuilder, randomOf } from "../graph-builder";

const [STEPS, DEPTH, HIDDEN, CLASSES, ROWS] = [6, 8, 12, 4, 16];
const RATE = 0.2;
const GATES = { LSTM: 4, GRU: 3, RNN: 1 };

function classifier(op: keyof typeof GATES, attributes = {}): Graph {
  const g = new GraphBuilder(6);
  const n = GATES[op] * HIDDEN;
  g.input("x", ["batch", STEPS, DEPTH]);
  const [w, r] = [g.floats("w", [1, n, DEPTH], 0.5), g.floats("r", [1, n, HIDDEN], 0.4)];
  g.node("Transpose", ["x"], "turned", { perm: [1, 0, 2] });
  g.multiple(op, ["turned", w, r, g.floats("b", [1, 2 * n], 0.2)], ["y", "h"], attributes);
  g.node("Transpose", ["h"], "last", { perm: [1, 0, 2] });
  g.node("Flatten", ["last"], "flat", { axis: 1 });
  g.node("Linear", ["flat", g.floats("v", [CLASSES, HIDDEN], 0.5), g.floats("c", [CLASSES], 0.1)], "logits");
  return simplify(g.build("logits"), toolkitOps);
}

const { between, below } = randomOf(8);
const x = tensor(
  "f32",
  [ROWS, STEPS, DEPTH],
  Float32Array.from({ length: ROWS * STEPS * DEPTH }, () => between(-1, 1)),
);
const labels = tensor(
  "i32",
  [ROWS],
  Int32Array.from({ length: ROWS }, () => below(CLASSES)),
);
const feeds = { x, [LABELS]: labels };

const trainerOf = (graph: Graph, masters: Masters = new Map()) =>
  new Trainer(graph, select(parametersOf(graph, masters), "all"), {
    losses: [{ kind: "crossEntropy" }],
    optimizer: createOptimizer({ kind: "sgd", lr: RATE }),
    keepsGradients: true,
    batch: ROWS,
    engine: new Engine({ ...exactSources, train }),
  });

/** Mean cross-entropy of the labels. */
const lossOf = ({ data }: Tensor): number =>
  Array.from(labels.data).reduce((sum, label, row) => {
    const z = Array.from(data.slice(row * CLASSES, (row + 1) * CLASSES));
    return sum + (Math.log(z.reduce((all, v) => all + Math.exp(v), 0)) - z[label]!) / ROWS;
  }, 0);

/** A layer of both directions under another one: between them are codes of three dimensions, which are no image. */
function stacked(): Graph {
  const g = new GraphBuilder(7);
  const weights = (name: string, directions: number, gates: number, depth: number) => [
    g.floats(`w_${name}`, [directions, gates * HIDDEN, depth], 0.5),
    g.floats(`r_${name}`, [directions, gates * HIDDEN, HIDDEN], 0.4),
  ];
  g.input("x", ["batch", STEPS, DEPTH]);
  g.multiple("LSTM", ["x", ...weights("both", 2, 4, DEPTH)], ["both"], {
    direction: "bidirectional",
    layout: 1,
  });
  g.node("Reshape", ["both"], "wide", { shape: [0, 0, 2 * HIDDEN] });
  g.multiple("GRU", ["wide", ...weights("last", 1, 3, 2 * HIDDEN)], ["", "h"], { layout: 1 });
  g.node("Flatten", ["h"], "flat", { axis: 1 });
  g.node("Linear", ["flat", g.floats("v", [CLASSES, HIDDEN], 0.5)], "logits");
  return simplify(g.build("logits"), toolkitOps);
}

test("codes between stacked layers are trained: the exported graph computes what the last step did", async () => {
  const { graph, masters } = await quantize(stacked(), { calibration: [{ x }] });
  const trainer = trainerOf(graph, masters);
  const first = trainer.run(feeds, RATE, 1).loss;
  for (let count = 1; count <= 30; count++) {
    trainer.update(RATE, count, 1);
    trainer.run(feeds, RATE, count + 1);
  }
  expect(trainer.run(feeds, RATE, 32).loss).toBeLessThan(0.97 * first);
  const { logits } = withModel(trainer.graph(), { maxima: { batch: ROWS } }, (model) => model.runSync({ x }));
  expect(trainer.run(feeds, RATE, 32).loss).toBeCloseTo(lossOf(logits!), 6);
  trainer.dispose();
});

const cases = (["dynamic", "static"] as const).flatMap((mode) => [
  ["LSTM", mode, {}] as const,
  ["GRU", mode, {}] as const,
  ["GRU", mode, { linear_before_reset: 1 }] as const,
  ["RNN", mode, { direction: "reverse" }] as const,
]);

describe.each(cases)("%s, %s %j", (op, mode, attributes) => {
  const float = classifier(op, attributes);
  const quantized = quantize(float, { mode, calibration: [{ x }], biasCorrection: false, equalize: false });

  test("its gradients are near those of the floats that its codes stand for", async () => {
    const { graph, masters } = await quantized;
    const coded = trainerOf(graph, masters);
    const near = trainerOf({
      ...float,
      constants: new Map(
        [...float.constants].map(([name, value]) => {
          const scale = graph.constants.get(`${name}_scale`)?.data;
          const codes = graph.constants.get(name)!;
          if (codes.dtype !== "i8") return [name, value];
          const inner = codes.data.length / scale!.length;
          return [
            name,
            tensor(
              "f32",
              value.shape,
              Float32Array.from(codes.data, (q, i) => q * scale![Math.floor(i / inner)]!),
            ),
          ];
        }),
      ),
    });
    coded.run(feeds, RATE, 1);
    near.run(feeds, RATE, 1);
    for (const name of ["w", "r", "b"]) {
      const [own, other] = [coded, near].map((trainer) => trainer.state(gradientOf(name)));
      let [error, size] = [0, 0];
      for (let i = 0; i < other!.length; i++) {
        error += (own![i]! - other![i]!) ** 2;
        size += other![i]! ** 2;
      }
      expect(Math.sqrt(error / size), name).toBeLessThan(0.15);
    }
    coded.dispose();
    near.dispose();
  });

  test("its loss falls, and the exported graph computes what was trained", async () => {
    const { graph, masters } = await quantized;
    const trainer = trainerOf(graph, masters);
    const first = trainer.run(feeds, RATE, 1).loss;
    for (let count = 1; count <= 60; count++) {
      trainer.update(RATE, count, 1);
      trainer.run(feeds, RATE, count + 1);
    }
    expect(trainer.run(feeds, RATE, 62).loss).toBeLessThan(0.9 * first);
    expect(trainer.takeChanged()).toBeGreaterThan(0);
    const now = trainer.graph();
    for (const name of ["w", "r"])
      expect(now.constants.get(name)!.data, name).not.toEqual(graph.constants.get(name)!.data);
    const { logits } = withModel(now, { maxima: { batch: ROWS } }, (model) => model.runSync({ x }));
    expect(trainer.run(feeds, RATE, 62).loss).toBeCloseTo(lossOf(logits!), 6);
    trainer.dispose();
  });
});
