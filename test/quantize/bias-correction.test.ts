import { expect, test } from "vitest";
import type { Node } from "../../src/graph/graph";
import { linearLayerOf } from "../../src/ops/linear-layer";
import { toolkitOps } from "../../src/ops/toolkit";
import { correctBias } from "../../src/quantize/bias-correction";
import { GraphBuilder } from "../graph-builder";

/** A layer whose weights were rounded by `error` everywhere. */
function corrected(
  op: string,
  weight: readonly number[],
  attributes: Node["attributes"],
  means: number[],
  error: number,
) {
  const builder = new GraphBuilder();
  const x = builder.input("x", ["batch", means.length, ...(op === "Conv" ? [5, 5] : [])]);
  builder.floats("w", weight, 1);
  const graph = builder.build(builder.node(op, [x, "w"], "y", attributes));
  const layer = linearLayerOf(graph, graph.nodes[0]!, toolkitOps);
  if (typeof layer === "string") throw new Error(layer);
  const weights = graph.constants.get("w")!.data as Float32Array;
  return correctBias(
    layer,
    weights,
    weights.map((w) => w - error),
    Float32Array.of(1, 1),
    Float64Array.from(means),
  );
}

test.each([
  ["Conv", [2, 3, 2, 2], {}, [1, 2, 4], 4 * 7, 4 * 7],
  ["Conv", [2, 1, 3, 3], { group: 2 }, [1, 5], 9 * 1, 9 * 5],
  ["Linear", [2, 3], {}, [1, 2, 4], 7, 7],
] as const)("%s, weight %j: b + Σ (w − ŵ)·E[x] within 1e-6", (op, weight, attributes, means, a, b) => {
  const bias = corrected(op, weight, attributes, [...means], 0.25);
  expect(bias[0]).toBeCloseTo(1 + a * 0.25, 5);
  expect(bias[1]).toBeCloseTo(1 + b * 0.25, 5);
});
