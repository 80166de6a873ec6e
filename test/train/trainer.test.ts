// A training step against what is deployed: the same bytes forward, and gradients that add up.

import { describe, expect, test } from "vitest";
import type { EngineClass } from "../../src/engine/wasm";
import { type Graph, renamed } from "../../src/graph/graph";
import type { Tensor } from "../../src/graph/tensor";
import { quantize } from "../../src/index";
import { select } from "../../src/train/run/select";
import { Trainer } from "../../src/train/run/trainer";
import { LABELS } from "../../src/train/step/losses";
import { createOptimizer, type OptimizerOptions } from "../../src/train/step/optimizers";
import { type Masters, parametersOf } from "../../src/train/step/prepare";
import { gradientOf } from "../../src/train/step/step";
import { engineClasses, withModel } from "../engine/engines";
import { GraphBuilder } from "../graph-builder";
import { engine, feeds, float, quantized } from "./digits";

const models: Readonly<Record<string, { graph: Graph; masters?: Masters }>> = {
  float: { graph: float },
  "8 bits": await quantized(),
  "4 bits": await quantized(4),
  dynamic: await quantize(float, { mode: "dynamic" }),
};
const SGD: OptimizerOptions = { kind: "sgd", lr: 0.01, momentum: 0.9 };

interface Options {
  readonly trained?: string;
  readonly optimizer?: OptimizerOptions;
  readonly keepsGradients?: boolean;
  readonly engineClass?: EngineClass;
}

function trainerOf(name: string, options: Options = {}): Trainer {
  const { trained = "all", optimizer = SGD, keepsGradients = false, engineClass } = options;
  const { graph, masters } = models[name]!;
  return new Trainer(graph, select(parametersOf(graph, masters), trained), {
    losses: [{ kind: "crossEntropy" }],
    optimizer: createOptimizer(optimizer),
    keepsGradients,
    batch: 32,
    engine,
    engineClass,
  });
}

const states = (trainer: Trainer) =>
  new Map(trainer.states.map((name) => [name, trainer.state(name).slice()]));

describe.each(Object.keys(models))("%s", (name) => {
  test.each(
    engineClasses,
  )("trained is deployed: the same bytes, before and after steps, %s", (engineClass) => {
    const trainer = trainerOf(name, { engineClass });
    for (let step = 1; step <= 4; step++) {
      const fed = feeds(step * 32, step === 3 ? 17 : 32);
      const { [LABELS]: _, ...inputs } = fed;
      const graph = trainer.graph();
      const { output } = trainer.run(fed, 0.01, step);
      const deployed = withModel(graph, { engineClass, maxima: { batch: 32 } }, (model) =>
        model.runSync(inputs),
      );
      expect(output.data).toEqual(Object.values(deployed)[0]!.data);
    }
    trainer.dispose();
  });

  test("the loss falls, of labels that are new", () => {
    const trainer = trainerOf(name);
    const { [LABELS]: labels, ...inputs } = feeds(0, 32);
    const fed = { ...inputs, [LABELS]: { ...labels, data: labels.data.map((label) => (label + 1) % 10) } };
    const first = trainer.run(fed, 0.0003, 1).loss;
    let last = first;
    for (let step = 2; step <= 30; step++) last = trainer.run(fed, 0.0003, step).loss;
    expect(last).toBeLessThan(0.8 * first);
    trainer.dispose();
  });

  test("all engine classes come to the same bytes, with either optimizer", () => {
    for (const optimizer of [SGD, { kind: "adamw", lr: 0.001 } as const]) {
      const [one, ...others] = engineClasses.map((engineClass) => {
        const trainer = trainerOf(name, { engineClass, optimizer });
        for (let step = 1; step <= 5; step++) trainer.run(feeds(step * 32, 32), optimizer.lr, step);
        const found = states(trainer);
        trainer.dispose();
        return found;
      });
      for (const other of others) expect(other).toEqual(one);
    }
  });

  test("gradients that are kept update as those that are not", () => {
    const [fused, kept] = [trainerOf(name), trainerOf(name, { keepsGradients: true })];
    for (let step = 1; step <= 3; step++) {
      fused.run(feeds(step * 32, 32), 0.01, step);
      kept.run(feeds(step * 32, 32), 0.01, step);
      kept.update(0.01, step, 1);
    }
    for (const { name: parameter } of fused.parameters)
      expect(kept.state(parameter)).toEqual(fused.state(parameter));
    expect(kept.bytes).toBeGreaterThanOrEqual(fused.bytes);
    fused.dispose();
    kept.dispose();
  });

  test("two halves of a batch have the gradients of the whole", () => {
    const [whole, halves] = [
      trainerOf(name, { keepsGradients: true }),
      trainerOf(name, { keepsGradients: true }),
    ];
    whole.run(feeds(0, 32), 0, 1);
    halves.run(feeds(0, 16), 0, 1);
    halves.run(feeds(16, 16), 0, 1);
    for (const { name: parameter } of whole.parameters) {
      const [a, b] = [whole, halves].map((t) => t.state(gradientOf(parameter)) as Float32Array) as [
        Float32Array,
        Float32Array,
      ];
      const largest = a.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
      for (const [i, g] of a.entries()) expect(Math.abs(g - b[i]! / 2)).toBeLessThanOrEqual(1e-4 * largest);
    }
    whole.dispose();
    halves.dispose();
  });

  test("what is not trained stays, and what is moves", () => {
    for (const trained of ["bias", "last:1", ...(name === "float" ? [] : ["scales"])]) {
      const trainer = trainerOf(name, { trained });
      const before = trainer.graph();
      for (let step = 1; step <= 3; step++) trainer.run(feeds(step * 32, 32), 0.05, step);
      const after = trainer.graph();
      const moved = [...after.constants].filter(
        ([key, { data: now }]) => !same(now, before.constants.get(key)!.data),
      );
      const names = moved.map(([key]) => key);
      expect(names.length).toBeGreaterThan(0);
      const isWeight = (key: string) => /weight(_codes)?$/.test(key);
      if (trained === "last:1") expect(names.filter(isWeight).length).toBe(1);
      else expect(names.filter(isWeight)).toEqual([]);
      trainer.dispose();
    }
  });
});

test("a parameter that the loss does not depend on stays", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", ["batch", 3]);
  builder.node("Linear", [x, builder.floats("w", [4, 3], 1)], "y");
  builder.node("Linear", [x, builder.floats("v", [4, 3], 1)], "z");
  const trainer = new Trainer(builder.build("y", "z"), select(parametersOf(builder.build("y", "z"))), {
    losses: [{ kind: "crossEntropy" }],
    optimizer: createOptimizer(SGD),
    keepsGradients: true,
    batch: 2,
    engine,
  });
  const [w, v] = [trainer.state("w").slice(), trainer.state("v").slice()];
  trainer.run({ x: new Float32Array([1, -1, 2, 0, 1, 1]), [LABELS]: new Int32Array([1, 3]) }, 0.1, 1);
  trainer.update(0.1, 1, 1, 1);
  expect(trainer.state("v")).toEqual(v);
  expect(trainer.state("w")).not.toEqual(w);
  trainer.dispose();
});

const same = (a: Tensor["data"], b: Tensor["data"]) => a.every((x, i) => Object.is(x, b[i]));

test("memory is planned to the page, and holds no float of an activation that codes stand for", () => {
  const trainer = trainerOf("8 bits");
  expect(trainer.bytes % 65536).toBe(0);
  expect(trainer.bytes).toBe(trainer.plan.memory.totalBytes);
  const withFloats = trainerOf("float");
  expect(trainer.bytes).toBeLessThan(withFloats.bytes);
  trainer.dispose();
  withFloats.dispose();
});

test("values of the model may have the names that a step would give its own", () => {
  const { graph, masters } = models["8 bits"]!;
  const taken = parametersOf(graph, masters).flatMap(({ kind, coded }) =>
    kind === "weight" && coded
      ? [`${coded.codes}.codes`, `${coded.codes}.changed`, `${coded.codes}@step`, `${coded.scale}@step`]
      : [],
  );
  const computed = graph.nodes.flatMap(({ outputs }) => outputs).filter((value) => value !== "");
  const inner = computed.filter((value) => !graph.outputs.includes(value)).slice(0, taken.length);
  const names = new Map(inner.map((value, i) => [value, taken[i]!]));
  expect(names.size).toBeGreaterThan(3);
  const other: Graph = {
    ...graph,
    nodes: graph.nodes.map((node) => renamed(node, (value) => names.get(value) ?? value)),
  };
  const logits = [graph, other].map((one) => {
    const trainer = new Trainer(one, select(parametersOf(one, masters), "all"), {
      losses: [{ kind: "crossEntropy" }],
      optimizer: createOptimizer(SGD),
      keepsGradients: false,
      batch: 32,
      engine,
    });
    for (let step = 1; step <= 2; step++) trainer.run(feeds(step * 32, 32), 0.01, step);
    const { output } = trainer.run(feeds(0, 32), 0.01, 3);
    const result = { data: output.data.slice(), changed: trainer.takeChanged() };
    trainer.dispose();
    return result;
  });
  expect(logits[1]).toEqual(logits[0]);
  expect(logits[0]!.changed).toBeGreaterThan(0);
});
