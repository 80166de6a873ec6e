// A run with other values of symbols evaluates the arguments that depend on them, and no others.

import { expect, test, vi } from "vitest";
import { compile } from "../../src/engine/compile";
import { Session } from "../../src/engine/session";
import { Engine } from "../../src/engine/wasm";
import type { Graph } from "../../src/graph/graph";
import * as symbols from "../../src/graph/symbols";
import { registry } from "../../src/ops/index";
import { exactSources, withModel, withModelInParts } from "./engines";

const WIDTH = 8;
/** The last `rows` of x, doubled. */
const graph: Graph = {
  name: "doubled",
  inputs: [{ name: "x", dtype: "f32", shape: ["tokens", WIDTH] }],
  outputs: ["y"],
  nodes: [
    { op: "Add", name: "add", inputs: ["x", "x"], outputs: ["sum"], attributes: {} },
    {
      op: "Slice",
      name: "last",
      inputs: ["sum"],
      outputs: ["y"],
      attributes: { starts: ["-1*rows+tokens"], ends: ["tokens"], axes: [0], steps: [1] },
    },
  ],
  constants: new Map(),
  provenance: {},
};
const maxima = { tokens: 17, rows: 17 };
const x = Float32Array.from({ length: 17 * WIDTH }, (_, i) => i);

test("results are those of the values of each run, on one thread and in parts", async () => {
  const check = (model: Parameters<Parameters<typeof withModel>[2]>[0]) => {
    for (const [tokens, rows] of [
      [4, 1],
      [4, 3],
      [17, 3],
      [17, 0],
      [1, 1],
      [4, 4],
      [17, 17],
    ] as const) {
      const fed = x.subarray(0, tokens * WIDTH);
      const { y } = model.runSync({ x: fed }, {}, { rows });
      expect([...y!.data]).toEqual([...fed.subarray((tokens - rows) * WIDTH)].map((n) => 2 * n));
    }
  };
  withModel(graph, { maxima }, check);
  await withModelInParts(graph, { maxima }, check);
});

test("a run that fails for want of a value leaves nothing half bound", () => {
  withModel(graph, { maxima }, (model) => {
    const fed = x.subarray(0, 4 * WIDTH);
    const last = () => [...model.runSync({ x: fed }, {}, { rows: 2 }).y!.data];
    const expected = last();
    expect(() => model.runSync({ x: fed })).toThrow(/symbol "rows" has no value/);
    expect(last()).toEqual(expected);
  });
});

test("steps that name no changed symbol keep their arguments", () => {
  const plan = compile(graph, { registry, engineClass: "baseline", maxima });
  const session = new Session(plan, new Engine(exactSources));
  session.run({ tokens: 4, rows: 1 });
  const evaluate = vi.spyOn(symbols, "evaluateDim");
  session.run({ tokens: 4, rows: 2 });
  const evaluated = evaluate.mock.calls.map(([dim]) => dim);
  evaluate.mockRestore();
  expect(evaluated.length).toBeGreaterThan(0);
  for (const dim of evaluated) expect(symbols.symbolsOf(dim)).toContain("rows");
  session.dispose();
});
