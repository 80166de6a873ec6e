// A case of an op's table as an ONNX model: what is read of it computes the same, and is written and read again as the same graph.

import { expect } from "vitest";
import type { Graph, Node } from "../../src/graph/graph";
import type { Tensor } from "../../src/graph/tensor";
import { importOnnx } from "../../src/index";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { onnxOf } from "../../src/toolkit/export-onnx";
import { toolkit } from "../../src/toolkit/toolkit";
import { expectClose, expectWithinOneCode } from "../check-tensors";
import { BATCH, type Feeds } from "../engine/cuts";
import { withModel } from "../engine/engines";
import { structureOf } from "../same-graph";
import { ROWS } from "./case-graph";

/** The graph with its known parameters as attributes, which importing makes of them. */
function withAttributes(graph: Graph): Graph {
  const isKnown = ({ op, inputs }: Node) =>
    Object.keys(toolkitOps[op]!.parameters ?? {}).some((i) => graph.constants.has(inputs[Number(i)] ?? ""));
  return graph.nodes.some(isKnown) ? simplify(graph, toolkitOps) : graph;
}

/** A case that ONNX has no operators for. */
export function checkRefused(graph: Graph): void {
  expect(() => onnxOf(withAttributes(graph), toolkit)).toThrow(
    expect.objectContaining({ name: "OctetteError", code: "unsupported" }),
  );
}

/** Writes a graph, whose results are `expected`, and reads it again, twice. */
export function checkExported(graph: Graph, fed: Feeds, expected: Feeds): void {
  const { name } = graph;
  const bytes = onnxOf(withAttributes(graph), toolkit);
  const read = importOnnx(bytes, { name });
  withModel(read, { maxima: { [BATCH]: ROWS } }, (model) => {
    const results = model.runSync(fed);
    for (const [name, y] of Object.entries(expected)) compare(results[name], y, name);
  });
  expect(structureOf(importOnnx(onnxOf(read, toolkit), { name }))).toEqual(structureOf(read));
}

const compare = (actual: Tensor | undefined, expected: Tensor, name: string) =>
  (expected.dtype === "f32" ? expectClose : expectWithinOneCode)(actual, expected, name);
