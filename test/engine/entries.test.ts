// Entries of a plan: steps that a session runs by name, over constants and state that are those of all, with symbols that a
// caller binds.

import { afterEach, describe, expect, test } from "vitest";
import { compile } from "../../src/engine/compile";
import type { NamedNodes } from "../../src/engine/plan";
import { Session } from "../../src/engine/session";
import type { Graph } from "../../src/graph/graph";
import type { Bindings } from "../../src/graph/symbols";
import { bytesIn, type TypedArray, tensor } from "../../src/graph/tensor";
import { firstOf, rowsOf } from "../../src/train/ops/rows";
import { training } from "../../src/train/training";
import { convGraph, expectSameBytes, randomFeeds } from "../check-model";
import { GraphBuilder } from "../graph-builder";
import { engine } from "../train/digits";
import { withModel } from "./engines";

const opened: Session[] = [];
afterEach(() => {
  for (const session of opened.splice(0)) session.dispose();
});

/** A session of a graph whose nodes are run by these names, with its constants loaded. */
function open(graph: Graph, entries: readonly NamedNodes[], maxima: Bindings, state: string[] = []): Session {
  const plan = compile(graph, { registry: training.ops, engineClass: "baseline", maxima, entries, state });
  const session = new Session(plan, engine);
  opened.push(session);
  for (const [name, { data }] of graph.constants)
    if (!state.includes(name)) session.loader.put(name, bytesIn(data));
  return session;
}

const named = (of: "inputs" | "outputs" | "state", session: Session, name: string, bindings: Bindings = {}) =>
  session.see(session.plan[of].find((value) => value.name === name)!, bindings).data as TypedArray;

describe("what lives from entry to entry", () => {
  const ROWS = 5;
  const b = new GraphBuilder(1);
  const x = b.input("x", ["batch", 4]);
  b.node("Relu", [x], "kept");
  b.node("Exp", ["kept"], "grown");
  const first = ["kept", "grown"];
  b.node("TakeRows", ["kept"], "some", { of: "batch" });
  b.node("Neg", ["some"], "negative");
  b.node("Exp", ["negative"], "small");
  b.node("Mul", ["small", "some"], "product");
  b.constant("sum", tensor("f32", [2, 4], new Float32Array(8)));
  b.node("Add", ["grown", "kept"], "y");
  const built = b.build("y", "some");
  const add = {
    op: "AccumulateGradient",
    name: "add",
    inputs: ["sum", "product"],
    outputs: [],
    attributes: {},
  };
  const makes = (values: readonly string[]) =>
    built.nodes.filter(({ outputs }) => values.includes(outputs[0]!));
  const entries: readonly NamedNodes[] = [
    { name: "begin", nodes: makes(first) },
    { name: "step", nodes: [...makes(["some", "negative", "small", "product"]), add], repeats: true },
    { name: "end", nodes: makes(["y"]) },
  ];
  const graph = { ...built, nodes: entries.flatMap(({ nodes }) => nodes) };
  const fed = Float32Array.from({ length: ROWS * 4 }, (_, i) => Math.sin(i));
  const kept = fed.map((v) => Math.max(0, v));

  const session = () => {
    const own = open(graph, entries, { batch: ROWS, [rowsOf("batch")]: 2 }, ["sum"]);
    named("state", own, "sum").fill(0);
    named("inputs", own, "x", { batch: ROWS }).set(fed);
    return own;
  };

  test("stays as it is however often the entries between run, at positions that a caller binds", () => {
    const own = session();
    const all = { batch: ROWS };
    own.run(all, "begin");
    const sum = new Float32Array(8);
    for (const at of [3, 0, 1, 0, 2, 3, 3]) {
      const bindings = { ...all, [firstOf("batch")]: at, [rowsOf("batch")]: 2 };
      own.run(bindings, "step");
      const rows = kept.slice(4 * at, 4 * at + 8);
      expect(named("outputs", own, "some", bindings)).toEqual(rows);
      for (const [i, v] of rows.entries()) sum[i]! += v * Math.exp(-v);
    }
    own.run(all, "end");
    const y = named("outputs", own, "y", all);
    for (const [i, v] of kept.entries()) expect(y[i]).toBeCloseTo(Math.exp(v) + v, 5);
    for (const [i, v] of sum.entries()) expect(named("state", own, "sum")[i]).toBeCloseTo(v, 4);
  });

  test("is timed by the index of its steps", () => {
    const own = session();
    own.run({ batch: ROWS }, "begin");
    const times = own.plan.steps.map(() => 0);
    const bindings = { batch: ROWS, [firstOf("batch")]: 0, [rowsOf("batch")]: 2 };
    own.time(bindings, times, "step");
    const { from, to } = own.plan.entries.step!;
    for (const [i, ms] of times.entries()) {
      if (i < from || i >= to) expect(ms).toBe(0);
      else expect(ms).toBeGreaterThanOrEqual(0);
    }
  });
});

test("entries that read nothing of each other run alone, in any order", () => {
  const [one, other] = [1, 2].map((seed) =>
    convGraph({ cin: 3, cout: 4, k: 3, h: 6, w: 5, mode: "float", seed }),
  );
  const renamed = (graph: Graph, own: string): Graph => {
    const name = (value: string) => (value === "x" || value === "" ? value : `${own}.${value}`);
    return {
      ...graph,
      nodes: graph.nodes.map((node) => ({
        ...node,
        name: `${own}.${node.name}`,
        inputs: node.inputs.map(name),
        outputs: node.outputs.map(name),
      })),
      outputs: graph.outputs.map(name),
      constants: new Map([...graph.constants].map(([key, value]) => [name(key), value])),
    };
  };
  const [a, b] = [renamed(one!, "a"), renamed(other!, "b")];
  const joined: Graph = {
    ...a,
    nodes: [...a.nodes, ...b.nodes],
    outputs: [...a.outputs, ...b.outputs],
    constants: new Map([...a.constants, ...b.constants]),
  };
  const entries = [a, b].map(({ nodes }, i) => ({ name: "ab"[i]!, nodes }));
  const bindings = { batch: 2 };
  for (const order of ["b", "ba", "ab", "bab"]) {
    const session = open(joined, entries, bindings);
    for (const [i, name] of [...order].entries()) {
      const feeds = randomFeeds(one!, 2, i + 1);
      const graph = name === "a" ? one! : other!;
      const y = withModel(
        graph,
        { engineClass: "baseline", maxima: bindings },
        (model) => model.runSync(feeds).y!,
      );
      named("inputs", session, "x", bindings).set((feeds.x as { data: Float32Array }).data);
      session.run(bindings, name);
      expectSameBytes(
        { ...y, data: named("outputs", session, `${name}.y`, bindings) },
        y,
        `${order}: ${name}`,
      );
    }
  }
});

test("a model has one entry, all of its steps", () => {
  const graph = convGraph({ cin: 3, cout: 4, k: 3, h: 6, w: 5 });
  withModel(graph, {}, ({ plan }) =>
    expect(plan.entries).toEqual({ run: { from: 0, to: plan.steps.length } }),
  );
});
