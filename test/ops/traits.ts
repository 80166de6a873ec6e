// What an op says of itself, held against what its cases compute.

import { expect, test } from "vitest";
import type { Graph, Node, ValueType } from "../../src/graph/graph";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { inferTypes } from "../../src/ops/infer";
import { toolkitOps } from "../../src/ops/toolkit";
import { BATCH, type Feeds } from "../engine/cuts";
import { withModel } from "../engine/engines";
import { type CaseGraph, caseGraph, type OpCase, operandsOf, ROWS } from "./case-graph";

/** x · a[c], with channels on axis 1. */
function scaled({ shape, data }: Tensor, factors: readonly number[]): Tensor {
  const inner = sizeOf(shape.slice(2));
  const of = (i: number) => factors[Math.floor(i / inner) % shape[1]!]!;
  return tensor(
    "f32",
    shape,
    Float32Array.from(data, (x, i) => x * of(i)),
  );
}

/** Ops that move elements of channels too, but no layer has been seen behind them. */
const MIGHT_BE_HOMOGENEOUS: ReadonlySet<string> = new Set([
  "Concat",
  "Pad",
  "Resize",
  "Slice",
  "Split",
  "Transpose",
]);

/** Traits of an op of one float input, in a case that made `results` of its feeds. */
export function checkTraits(op: string, one: OpCase, { graph, feeds }: CaseGraph, results: Feeds): void {
  const { x0: x, ...others } = feeds("random");
  const [first] = operandsOf(one);
  if (
    one.fused ||
    one.simplified ||
    !x ||
    x.dtype !== "f32" ||
    first?.is !== "fed" ||
    Object.keys(others).length > 0
  )
    return;
  const { codes, homogeneous, reshapes, softmax, clamp } = toolkitOps[op]!;
  const run = (x0: Tensor) =>
    withModel(graph, { maxima: { [BATCH]: ROWS } }, (model) => model.runSync({ x0 })[graph.outputs[0]!]!);
  const node = nodeOf(graph, op);
  const y = results[graph.outputs[0]!]!;
  const elements = [...x.data];
  if (codes === "moves" || codes === "pads") {
    const known = new Set([...elements, ...(codes === "pads" ? [Number(node.attributes.value ?? 0)] : [])]);
    expect(
      [...y.data].filter((number) => !known.has(number)),
      "elements of its input",
    ).toEqual([]);
  }
  if (codes === "table") {
    const same = Float32Array.from(x.data, (_, i) => x.data[i % 5]!);
    expect(run({ ...x, data: same }).data, "each follows from one").toEqual(
      Float32Array.from(same, (_, i) => y.data[i % 5]!),
    );
  }
  if (codes === "mean")
    for (const mean of y.data) {
      expect(mean).toBeGreaterThanOrEqual(Math.min(0, ...elements));
      expect(mean).toBeLessThanOrEqual(Math.max(0, ...elements));
    }
  if (x.shape.length === 4 && x.shape[1]! > 1 && !reshapes) {
    const says = homogeneous?.(node, 1, 4) ?? false;
    // Powers of two: exact.
    const factors = Array.from({ length: x.shape[1]! }, (_, c) => 2 ** ((c % 5) - 2));
    const isHomogeneous =
      y.dtype === x.dtype &&
      y.shape[0] === x.shape[0] &&
      y.shape[1] === x.shape[1] &&
      `${run(scaled(x, factors)).data}` === `${scaled(y, factors).data}`;
    if (says || !MIGHT_BE_HOMOGENEOUS.has(op)) expect(says, "homogeneous").toBe(isHomogeneous);
  }
  if (reshapes) expect(y.data, "elements in order").toEqual(x.data);
  const bounds = clamp?.(node);
  if (bounds) {
    const { lo, hi } = bounds;
    expect(y.data).toEqual(Float32Array.from(x.data, (v) => Math.min(hi, Math.max(lo, v))));
  }
  const last = y.shape.at(-1)!;
  if (softmax && [-1, y.shape.length - 1].includes(Number(node.attributes.axis ?? -1))) {
    const parts = Array.from(y.data, op.startsWith("Log") ? Math.exp : Number);
    for (let i = 0; i < parts.length; i += last)
      expect(
        parts.slice(i, i + last).reduce((a, b) => a + b),
        "parts of 1",
      ).toBeCloseTo(1, 5);
  }
}

const nodeOf = ({ nodes }: Graph, op: string): Node => nodes.find((node) => node.op === op)!;

/** An op that says that it can do nothing does so in just these cases: there are some of both. */
export function testIdle(op: string, cases: readonly OpCase[]): void {
  const { idle, lower, drops } = toolkitOps[op]!;
  if (!idle) return;
  test("it does nothing where it says so, and there alone", () => {
    const found = cases.map((one) => {
      const { graph, feeds } = caseGraph(op, one, "float");
      const types = inferTypes(graph, toolkitOps);
      const node = nodeOf(graph, op);
      const typeOf = (value: string): ValueType => types.get(value)!;
      const says = idle(node, typeOf(node.inputs[0]!), typeOf(node.outputs[0]!));
      // What is removed needs no kernel.
      if (!lower || one.simplified || one.known === "only") return says;
      const fed = feeds("random");
      const y = withModel(
        graph,
        { maxima: { [BATCH]: ROWS } },
        (model) => model.runSync(fed)[graph.outputs[0]!]!,
      );
      const x = fed[node.inputs[0]!]!;
      // What drops while a model is trained is kept until then.
      if (drops?.(node)) return says;
      const isSame = y.dtype === x.dtype && `${y.shape}` === `${x.shape}` && `${y.data}` === `${x.data}`;
      expect(says, JSON.stringify(one)).toBe(isSame);
      return says;
    });
    expect(found).toContain(true);
  });
}
