// Traits that a table of cases cannot hold against results.

import { expect, test } from "vitest";
import type { Node } from "../../src/graph/graph";
import { toolkitOps } from "../../src/ops/toolkit";

const nodeOf = (op: string, attributes: Node["attributes"], inputs = ["x"]): Node => ({
  op,
  name: "n",
  inputs,
  outputs: ["y"],
  attributes,
});

test("an axis that is reduced is not kept", () => {
  const node = nodeOf("ReduceMean", { axes: [-2, 3] });
  const { homogeneous } = toolkitOps.ReduceMean!;
  expect([0, 1, 2, 3].map((axis) => homogeneous!(node, axis, 4))).toEqual([true, true, false, false]);
  for (const op of ["AveragePool", "GlobalMaxPool"] as const)
    expect(toolkitOps[op]!.homogeneous!(node, 3, 4)).toBe(false);
});

test("bounds that are computed are none", () =>
  expect(toolkitOps.Clip!.clamp!(nodeOf("Clip", {}, ["x", "lo"]))).toBeUndefined());

test("ops that work on codes have kernels over them", () => {
  const computing = Object.entries(toolkitOps).filter(
    ([, { codes, lower, lowerInteger }]) => codes !== "none" && (lower || lowerInteger),
  );
  const lacking = computing.filter(([, { lowerInteger }]) => !lowerInteger).map(([op]) => op);
  // It makes codes of floats, by a float kernel.
  expect(lacking).toEqual(["DynamicQuantize"]);
});
