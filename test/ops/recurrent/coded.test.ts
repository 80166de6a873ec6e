// LSTM, GRU and RNN over codes: in every engine class against float64 steps on the numbers that codes stand for, states rounded to codes
// before they meet their weights.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../../src/errors";
import type { Graph, Node } from "../../../src/graph/graph";
import { sizeOf, type Tensor, tensor } from "../../../src/graph/tensor";
import { rne } from "../../../src/ops/codes";
import { toolkitOps } from "../../../src/ops/toolkit";
import { expectClose, expectSameBytes } from "../../check-tensors";
import { BATCH, checkCuts } from "../../engine/cuts";
import { creatingIn, engineClasses, withModel, withModelInParts } from "../../engine/engines";
import { GraphBuilder, randomOf } from "../../graph-builder";
import { realOf } from "../../reference/oracle";
import { forwardOf, rounded } from "./reference";

const GATES = { LSTM: 4, GRU: 3, RNN: 1 };
type OpName = keyof typeof GATES;
const { fround, max, min } = Math;

interface Case {
  readonly op: OpName;
  readonly rows?: number;
  readonly steps?: number;
  readonly depth?: number;
  readonly hidden?: number;
  readonly directions?: 1 | 2;
  readonly isBatchFirst?: boolean;
  readonly hasStates?: boolean;
  readonly hasBias?: boolean;
  readonly lengths?: readonly number[];
  readonly attributes?: Node["attributes"];
  /** One scale for all weights, one range for x, not one a row. */
  readonly isOne?: boolean;
  /** Whether x has codes of a range that is known. */
  readonly isStatic?: boolean;
}

/** A layer over codes, its feeds, and what it computes. */
function layerOf(one: Case, round = (state: readonly number[]) => rounded(state)) {
  const { op, rows = 3, steps = 4, depth = 5, hidden = 6, directions = 1, isBatchFirst = false } = one;
  const { hasStates = false, hasBias = true, lengths, isOne = false, isStatic = false } = one;
  const builder = new GraphBuilder(11);
  const { between, below } = randomOf(5);
  const n = GATES[op] * hidden;
  const floats = (shape: readonly number[], bound = 1) =>
    tensor(
      "f32",
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => between(-bound, bound)),
    );
  const x = floats(isBatchFirst ? [rows, steps, depth] : [steps, rows, depth]);
  builder.input("x", x.shape.with(isBatchFirst ? 0 : 1, BATCH as never));
  const weights = (name: string, k: number) => {
    const shape = [directions, n, k];
    const codes = Int8Array.from({ length: sizeOf(shape) }, () => below(255) - 127);
    const scale = Float32Array.from({ length: isOne ? 1 : directions * n }, () => between(0.002, 0.01));
    builder.constant(name, tensor("i8", shape, codes));
    builder.constant(`${name}_scale`, tensor("f32", isOne ? [] : [scale.length], scale));
    const real = Float64Array.from(codes, (q, i) => q * scale[isOne ? 0 : Math.floor(i / k)]!);
    return { shape, data: real };
  };
  const w = weights("w", depth);
  const r = weights("r", hidden);
  const bias = floats([directions, 2 * n]);
  if (hasBias) builder.constant("b", bias);
  const feeds: Record<string, Tensor> = { x };
  const feed = (name: string, value: Tensor, shape: readonly (number | string)[]) => {
    builder.input(name, shape as never, value.dtype);
    feeds[name] = value;
    return name;
  };
  const own = lengths && tensor("i32", [rows], lengths);
  const stateOf = (count: number | string) =>
    isBatchFirst ? [count, directions, hidden] : [directions, count, hidden];
  const states = hasStates
    ? Array.from({ length: op === "LSTM" ? 2 : 1 }, () => floats(stateOf(rows) as number[]))
    : [];
  const inputs = [
    "x_codes",
    "w",
    "r",
    hasBias ? "b" : "",
    own ? feed("lengths", own, [BATCH]) : "",
    ...states.map((state, i) => feed(`state${i}`, state, stateOf(BATCH))),
  ];
  let xReal: number[];
  if (isStatic) {
    builder.quantize("x", { scale: fround(2 / 255), zeroPoint: 128, dtype: "u8" });
    xReal = Array.from(x.data, (v) => {
      const scale = fround(2 / 255);
      return (min(255, max(0, rne(fround(v / scale)) + 128)) - 128) * scale;
    });
  } else if (isOne) {
    builder.multiple("DynamicQuantize", ["x"], ["x_codes", "x_scale", "x_zero_point"]);
    xReal = rounded([...x.data]);
  } else {
    builder.quantizeDynamically("x");
    xReal = Array.from({ length: x.data.length / depth }, (_, i) =>
      rounded([...x.data.slice(i * depth, (i + 1) * depth)]),
    ).flat();
  }
  const attributes = {
    ...one.attributes,
    ...(directions === 2 && { direction: "bidirectional" }),
    ...(isBatchFirst && { layout: 1 }),
  };
  const outputs = ["y", "y_h", ...(op === "LSTM" ? ["y_c"] : [])];
  const axis = isOne ? {} : { axis: -1 };
  const node: Node = {
    op,
    name: op,
    inputs,
    outputs,
    attributes,
    codes: {
      inputs: [
        { scale: "x_scale", zeroPoint: "x_zero_point", ...(isStatic || isOne ? {} : { axis: -1 }) },
        { scale: "w_scale", zeroPoint: "", ...axis },
        { scale: "r_scale", zeroPoint: "", ...axis },
        ...inputs.slice(3).map(() => undefined),
      ],
    },
  };
  const built = builder.build(...outputs);
  const graph: Graph = { ...built, nodes: [...built.nodes, node] };
  const operands = [
    { shape: x.shape, data: Float64Array.from(xReal) },
    w,
    r,
    hasBias ? realOf(bias) : undefined,
    own && realOf(own),
    ...states.map(realOf),
  ];
  const expected = forwardOf(node, operands, round).map(({ shape, data }) => tensor("f32", shape, data));
  return { graph, feeds, outputs, expected, states };
}

const sizes: readonly Omit<Case, "op">[] = [
  { rows: 1, steps: 1, depth: 1, hidden: 1 },
  { rows: 1, steps: 5, depth: 4, hidden: 17 },
  { rows: 17, steps: 2, depth: 3, hidden: 3 },
  { rows: 4, steps: 3, depth: 17, hidden: 40 },
  { hasBias: false, attributes: { direction: "reverse" } },
  { rows: 5, lengths: [4, 1, 0, 2, 3], hasStates: true, directions: 2 },
  { rows: 5, isBatchFirst: true, hasStates: true, directions: 2 },
  { isOne: true, steps: 2 },
  { isStatic: true, hasStates: true },
];
const flags = { LSTM: "input_forget", GRU: "linear_before_reset", RNN: "" };
const cases = (Object.keys(GATES) as OpName[]).flatMap((op) => [
  ...sizes.map((one): Case => ({ op, ...one })),
  ...(flags[op] ? [{ op, hasStates: true, attributes: { [flags[op]]: 1 } }] : []),
]);

describe.each(cases.map((one) => [JSON.stringify(one), one] as const))("%s", (_, one) => {
  const { graph, feeds, outputs, expected } = layerOf(one);
  const { rows = 3 } = one;

  test.each(engineClasses)("%s", async (engineClass) => {
    const options = { maxima: { [BATCH]: rows }, engineClass };
    const results = withModel(graph, options, (model) => model.runSync(feeds));
    for (const [i, name] of outputs.entries()) expectClose(results[name], expected[i]!, name);
    const inParts = await withModelInParts(graph, options, (model) => model.runSync(feeds));
    for (const name of outputs) expectSameBytes(inParts[name], results[name]!, name);
    // One range of all of x is that of its batch.
    if (rows > 1 && !one.isOne)
      expect(checkCuts(graph, feeds, rows, creatingIn(engineClass))).not.toBe("refused");
  });
});

describe.each(["LSTM", "RNN"] as const)("%s whose states share a range", (op) => {
  const shared = { state_range: "batch" };

  test("a step rounds the states of all rows by one range", () => {
    const one: Case = { op, steps: 1, rows: 4, hasStates: true, attributes: shared };
    const [state] = layerOf(one).states;
    const { graph, feeds, expected } = layerOf(one, (own) => rounded(own, [...state!.data]));
    for (const engineClass of engineClasses) {
      const options = { maxima: { [BATCH]: 4 }, engineClass };
      const { y } = withModel(graph, options, (model) => model.runSync(feeds));
      expectClose(y, expected[0]!, "y");
    }
  });

  test("one row has its own", () => {
    const one: Case = { op, rows: 1, hasStates: true };
    const run = ({ graph, feeds }: ReturnType<typeof layerOf>) =>
      withModel(graph, { maxima: { [BATCH]: 1 } }, (model) => model.runSync(feeds).y!);
    expectSameBytes(run(layerOf({ ...one, attributes: shared })), run(layerOf(one)), "y");
  });

  test("a batch is not cut", () => {
    const batched = { shape: ["s", "n", 5], axis: 1 };
    const node = layerOf({ op, attributes: shared }).graph.nodes.at(-1)!;
    const { rows } = toolkitOps[op]!;
    expect((rows as (...all: unknown[]) => boolean)(node, [batched], [])).toBe(false);
  });
});

describe("what has no kernel is refused", () => {
  const { graph } = layerOf({ op: "LSTM", isStatic: true });
  const changed = (change: (node: Node) => Node): Graph => ({
    ...graph,
    nodes: graph.nodes.map((node) => (node.codes ? change(node) : node)),
  });
  const refuse = (broken: Graph) => {
    try {
      withModel(broken, { maxima: { [BATCH]: 3 } }, () => undefined);
    } catch (error) {
      expect(error).toBeInstanceOf(OctetteError);
      return (error as Error).message;
    }
    throw new Error("it was taken");
  };

  test.each([
    [
      "its codes do not fit",
      (node: Node) => ({ ...node, codes: { ...node.codes!, output: node.codes!.inputs[0]! } }),
    ],
    ["state_range is unknown", (node: Node) => ({ ...node, attributes: { state_range: "none" } })],
    [
      "states share a range in layout 0 only",
      (node: Node) => ({ ...node, attributes: { state_range: "batch", layout: 1 } }),
    ],
  ])("%s", (message, change) => {
    expect(refuse(changed(change))).toContain(message);
  });
});
