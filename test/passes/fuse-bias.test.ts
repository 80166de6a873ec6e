import { describe, expect, test } from "vitest";
import type { Shape } from "../../src/graph/symbols";
import { toolkitOps } from "../../src/ops/toolkit";
import { fuseBias } from "../../src/passes/fuse-bias";
import { removeDead } from "../../src/passes/remove-dead";
import { GraphBuilder } from "../graph-builder";
import { expectSameFunction, opsOf } from "./check-pass";

interface Case {
  readonly name: string;
  readonly op: string;
  readonly x: Shape;
  readonly weight: readonly number[];
  readonly added: readonly number[];
  readonly bias?: boolean;
  readonly constantFirst?: boolean;
  /** What it becomes; without it, it stays. */
  readonly fused?: string;
}

const dense = { op: "Linear", x: ["batch", 4], weight: [3, 4] } as const;
const conv = { op: "Conv", x: ["batch", 4, 3, 3], weight: [3, 4, 1, 1] } as const;
const cases: Case[] = [
  { name: "linear + vector", ...dense, added: [3], fused: "Linear" },
  { name: "vector + linear", ...dense, added: [3], constantFirst: true, fused: "Linear" },
  { name: "linear + row", ...dense, added: [1, 3], fused: "Linear" },
  { name: "linear + number", ...dense, added: [], fused: "Linear" },
  { name: "linear with bias + vector", ...dense, bias: true, added: [3], fused: "Linear" },
  { name: "conv + channels", ...conv, added: [3, 1, 1], fused: "Conv" },
  { name: "conv + channels of one image", ...conv, added: [1, 3, 1, 1], fused: "Conv" },
  { name: "conv with bias + number", ...conv, bias: true, added: [1], fused: "Conv" },
  { name: "conv + row of the map", ...conv, added: [3] },
  { name: "linear of more dimensions", ...dense, x: ["batch", 2, 4], added: [3], fused: "Linear" },
  { name: "linear + column", ...dense, x: [3, 4], added: [3, 1] },
  { name: "linear + what makes it larger", ...dense, x: [1, 4], added: [2, 3] },
];

describe("an Add of a constant", () => {
  test.for(cases)("$name", ({ op, x, weight, added, bias, constantFirst, fused }) => {
    const b = new GraphBuilder(2);
    const inputs = [b.input("x", x), b.floats("w", weight, 1), ...(bias ? [b.floats("b", [3], 1)] : [])];
    const operands = [b.node(op, inputs, "product"), b.floats("c", added, 1)];
    b.node("Add", constantFirst ? operands.reverse() : operands, "y");
    const graph = b.build("y");
    const result = removeDead(fuseBias(graph, toolkitOps));
    expect(opsOf(result)).toBe(fused ?? `${op} Add`);
    if (!fused) expect(result).toBe(graph);
    else expectSameFunction(graph, result);
  });
});

test("not where something else reads the product", () => {
  const b = new GraphBuilder(2);
  const product = b.node("Linear", [b.input("x", ["batch", 4]), b.floats("w", [3, 4], 1)], "product");
  b.node("Add", [product, b.floats("c", [3], 1)], "y");
  const graph = b.build("y", "product");
  expect(fuseBias(graph, toolkitOps)).toBe(graph);
});
