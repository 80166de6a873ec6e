// A Slice that begins where only a run says: the last rows, as many as a caller wants.

import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph";
import { tensor } from "../../src/graph/tensor";
import { readArtifact, save, verify } from "../../src/index";
import { withModel } from "./engines";

const empty = tensor("f32", [0], []);

const WIDTH = 3;
const graph: Graph = {
  name: "last",
  inputs: [{ name: "x", dtype: "f32", shape: [1, "tokens", WIDTH] }],
  outputs: ["y"],
  nodes: [
    {
      op: "Slice",
      name: "last",
      inputs: ["x"],
      outputs: ["y"],
      attributes: { starts: ["-1*rows+tokens"], ends: ["tokens"], axes: [1], steps: [1] },
    },
  ],
  constants: new Map(),
  provenance: {},
};

describe("Slice from a symbol on", () => {
  const maxima = { tokens: 17, rows: 17 };
  test.each([1, 3, 4, 17])("of %i rows", (tokens) => {
    withModel(graph, { maxima }, (model) => {
      const x = Float32Array.from({ length: tokens * WIDTH }, (_, i) => i);
      for (const rows of [0, 1, 3, 4, 17].filter((count) => count <= tokens)) {
        const { y } = model.runSync({ x }, {}, { rows });
        expect(y!.shape).toEqual([1, rows, WIDTH]);
        expect([...y!.data]).toEqual([...x.subarray((tokens - rows) * WIDTH)]);
      }
    });
  });

  test("of more rows than there are is refused", () => {
    withModel(graph, { maxima }, (model) => {
      const x = new Float32Array(2 * WIDTH);
      expect(() => model.runSync({ x }, {}, { rows: 3 })).toThrow(/a size is below 0/);
    });
  });
});

describe("Slice from a number on", () => {
  const rest: Graph = {
    ...graph,
    nodes: [{ ...graph.nodes[0]!, attributes: { starts: [3], ends: [2 ** 31 - 1], axes: [1], steps: [1] } }],
  };
  const x = (tokens: number) => Float32Array.from({ length: tokens * WIDTH }, (_, i) => i);

  test.each<Record<string, number>>([
    {},
    { tokens: 2 },
    { tokens: 5 },
  ])("whatever there is room for at first: %o", (maxima) => {
    withModel(rest, { maxima }, (model) => {
      for (const tokens of [3, 17, 2, 0, 4, 1]) {
        const { y } = model.runSync({ x: x(tokens) });
        expect(y!.shape).toEqual([1, Math.max(0, tokens - 3), WIDTH]);
        expect([...y!.data]).toEqual([...x(tokens).subarray(3 * WIDTH)]);
      }
    });
  });

  test("is saved, and verified with a size that has a rest", async () => {
    const bytes = save(rest);
    expect(readArtifact(bytes).selfTest).toBeDefined();
    expect(await verify(bytes)).toBe(true);
  });
});

describe("Slice from before the first element", () => {
  const to = (shape: Graph["inputs"][0]["shape"], starts: number[], ends: (string | number)[]): Graph => ({
    ...graph,
    inputs: [{ name: "x", dtype: "f32", shape }],
    nodes: [{ ...graph.nodes[0]!, attributes: { starts, ends, axes: [1], steps: [1] } as never }],
  });
  const x = Float32Array.of(1, 2, 3, 4, 5, 6);

  test("it begins with the first, wherever a run says that it ends", () => {
    withModel(to([2, 3], [-9], ["rows"]), { maxima: { rows: 3 } }, (model) => {
      expect([...model.runSync({ x }, {}, { rows: 2 }).y!.data]).toEqual([1, 2, 4, 5]);
      expect([...model.runSync({ x }, {}, { rows: 3 }).y!.data]).toEqual([...x]);
    });
  });

  test("of a size that is smaller it takes all there is", () => {
    withModel(to([2, "tokens"], [-4], [2 ** 31 - 1]), { maxima: { tokens: 9 } }, (model) => {
      for (const tokens of [5, 3, 0, 9, 4]) {
        const rows = Array.from({ length: 2 }, (_, row) =>
          Array.from({ length: tokens }, (_, i) => 10 * row + i),
        );
        const { y } = model.runSync({ x: Float32Array.from(rows.flat()) });
        expect(y!.shape).toEqual([2, Math.min(tokens, 4)]);
        expect([...y!.data]).toEqual(rows.flatMap((row) => row.slice(-4)));
      }
    });
  });

  test("up to a place from either end it takes what there is", () => {
    for (const [from, until] of [
      [-4, 3],
      [-4, -2],
      [-9, -1],
      [1, -1],
      [2, 4],
      [0, 2],
      [3, -4],
    ] as const)
      withModel(to([2, "tokens"], [from], [until]), {}, (model) => {
        for (const tokens of [5, 3, 0, 9, 1, 4]) {
          const row = Array.from({ length: tokens }, (_, i) => i);
          const { y } = model.runSync({ x: Float32Array.from([...row, ...row]) });
          const kept = row.slice(from, until);
          expect(y!.shape).toEqual([2, kept.length]);
          expect([...y!.data]).toEqual([...kept, ...kept]);
        }
      });
  });

  test("the last element or the first of none is refused, where the result has no elements too", () => {
    for (const [from, until] of [
      [-1, 2 ** 31 - 1],
      [0, 1],
    ] as const)
      withModel(to([0, "tokens"], [from], [until]), { maxima: { tokens: 9 } }, (model) => {
        const run = (tokens: number) => model.runSync({ x: { ...empty, shape: [0, tokens] } }).y!.shape;
        expect(run(5)).toEqual([0, 1]);
        expect(() => run(0)).toThrow(/a size is below 0/);
      });
  });
});
