import { expect, test } from "vitest";
import type { Graph } from "../../../src/graph/graph";
import type { Constant } from "../../../src/graph/tensor";
import { bindCache } from "../../../src/text/builder/cache";

const attention = (name: string, window: number) => ({
  op: "CachedAttention",
  name,
  inputs: ["q", "k", "v", `${name}.keys`, `${name}.values`],
  outputs: [name],
  attributes: { window },
});
const state = (name: string, first: number | string) => ({ name, dtype: "f32", shape: [first, 8] }) as const;
const graph: Graph<Constant> = {
  name: "decoder",
  inputs: [],
  outputs: [],
  nodes: [attention("full", 0), attention("local", 100)],
  constants: new Map(),
  states: [
    ...["full", "local"].flatMap((name) => [
      state(`${name}.keys`, "cache"),
      state(`${name}.values`, "cache"),
    ]),
    state("conv", 2),
  ],
  provenance: {},
};

test.for([
  [{ maxTokens: 4096 }, 4096, 192, 100],
  [{ maxTokens: 4096, chunk: 1 }, 4096, 128, 100],
  [{ maxTokens: 4096, chunk: 128 }, 4096, 256, 100],
  [{ maxTokens: 101, chunk: 128 }, 101, 224, 100],
  [{ maxTokens: 100 }, 100, 100, 0],
  [{ maxTokens: 1 }, 1, 1, 0],
] as const)("%o: %i positions, %i of a window", ([options, full, local, window]) => {
  const bound = bindCache(graph, options);
  expect(bound.states!.map(({ shape }) => shape[0])).toEqual([full, full, local, local, 2]);
  expect(bound.nodes.map(({ attributes }) => attributes.window)).toEqual([0, window]);
});

test("caches of codes have whole tiles", () => {
  const codes = graph.states!.map((one) =>
    one.shape[0] === "cache" ? { ...one, dtype: "i8" as const } : one,
  );
  const bound = bindCache({ ...graph, states: codes }, { maxTokens: 101, chunk: 1 });
  expect(bound.states!.map(({ shape }) => shape[0])).toEqual([128, 128, 128, 128, 2]);
});

test("what is no count of tokens is refused", () => {
  expect(() => bindCache(graph, { maxTokens: 0 })).toThrow(
    "bindCache: maxTokens must be a whole number above 0: got 0",
  );
  expect(() => bindCache(graph, { maxTokens: 8, chunk: 1.5 })).toThrow(
    "chunk must be a whole number above 0",
  );
});
