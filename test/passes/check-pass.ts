// What the tests of passes share: a graph before and after computes the same from the same inputs, by the reference.

import { expect } from "vitest";
import type { Graph } from "../../src/graph/graph";
import { verify } from "../../src/graph/verify";
import { registry } from "../../src/ops/index";
import { expectClose, expectSameBytes, randomFeeds } from "../check-model";
import { runReference } from "../reference/index";

/** Operators in order. */
export const opsOf = (graph: Graph): string => graph.nodes.map((node) => node.op).join(" ");

/** Same inputs and outputs, and the same results: to the bit, or as close as numerics.md asks of floats. */
export function expectSameFunction(before: Graph, after: Graph, how: "exact" | "close" = "close"): void {
  verify(after, registry);
  expect(after.inputs).toEqual(before.inputs);
  expect(after.outputs).toEqual(before.outputs);
  const feeds = randomFeeds(before, 3);
  const [expected, actual] = [runReference(before, feeds), runReference(after, feeds)];
  const check = how === "exact" ? expectSameBytes : expectClose;
  for (const output of before.outputs) check(actual.get(output), expected.get(output)!, output);
}
