// A Slice that begins where only a run says: the last rows, as many as a caller wants.

import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph";
import { withModel } from "./engines";

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
      expect(() => model.runSync({ x }, {}, { rows: 3 })).toThrow(/input lacks elements that its output has/);
    });
  });
});
