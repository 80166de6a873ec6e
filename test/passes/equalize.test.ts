import { describe, expect, test } from "vitest";
import type { Graph, Node } from "../../src/graph/graph";
import type { Tensor } from "../../src/graph/tensor";
import { toolkitOps } from "../../src/ops/toolkit";
import { EQUALIZE_ROUNDS, equalize } from "../../src/passes/equalize";
import { networkGraph, randomFeeds } from "../check-model";
import { expectClose } from "../check-tensors";
import { GraphBuilder } from "../graph-builder";
import { runReference } from "../reference";

/** Multiplies output channel c of a weight [outputs, …] by 10^(±2), so that channels are far apart. */
function spread(graph: Graph, ...weights: string[]): Graph {
  const constants = new Map(graph.constants);
  for (const name of weights) {
    const { shape, data } = constants.get(name)!;
    const each = data.length / shape[0]!;
    constants.set(name, {
      dtype: "f32",
      shape,
      data: Float32Array.from(data, (w, i) => w * 10 ** ((Math.floor(i / each) % 5) - 2)),
    });
  }
  return { ...graph, constants };
}

function expectSameFunction(graph: Graph, equalized: Graph): void {
  const feeds = randomFeeds(graph);
  const [before, after] = [runReference(graph, feeds), runReference(equalized, feeds)];
  for (const output of graph.outputs) expectClose(after.get(output)!, before.get(output)!, output, 1e-5);
}

const conv = (
  builder: GraphBuilder,
  x: string,
  y: string,
  shape: readonly number[],
  attributes: Node["attributes"] = {},
) =>
  builder.node(
    "Conv",
    [x, builder.floats(`${y}_w`, shape, 1), builder.floats(`${y}_b`, [shape[0]!], 0.1)],
    y,
    {
      kernel_shape: shape.slice(2),
      ...attributes,
    },
  );
const linear = (builder: GraphBuilder, x: string, y: string, shape: readonly [number, number]) =>
  builder.node(
    "Linear",
    [x, builder.floats(`${y}_w`, shape, 1), builder.floats(`${y}_b`, [shape[0]], 0.1)],
    y,
  );

const same = { pads: [1, 1, 1, 1] };

describe("pairs", () => {
  const between: Record<string, (builder: GraphBuilder, x: string) => string> = {
    nothing: (_, x) => x,
    Relu: (builder, x) => builder.node("Relu", [x], "between"),
    LeakyRelu: (builder, x) => builder.node("LeakyRelu", [x], "between", { alpha: 0.1 }),
    MaxPool: (builder, x) =>
      builder.node("MaxPool", [x], "between", { kernel_shape: [2, 2], strides: [2, 2] }),
    AveragePool: (builder, x) =>
      builder.node("AveragePool", [x], "between", { kernel_shape: [3, 3], ...same }),
  };
  const second: Record<string, (builder: GraphBuilder, x: string) => string> = {
    Conv: (builder, x) => conv(builder, x, "y", [3, 5, 3, 3], same),
    "depthwise Conv": (builder, x) => conv(builder, x, "y", [5, 1, 3, 3], { ...same, group: 5 }),
    "Flatten and Linear": (builder, x) => {
      const flat = builder.node("Flatten", [x], "flat", { axis: 1 });
      return linear(builder, flat, "y", [
        2,
        x === "between" && builder.build().nodes.at(-2)!.op === "MaxPool" ? 20 : 80,
      ]);
    },
    "mean, Flatten and Linear": (builder, x) => {
      const mean = builder.node("GlobalAveragePool", [x], "mean");
      return linear(builder, builder.node("Flatten", [mean], "flat", { axis: 1 }), "y", [2, 5]);
    },
  };
  for (const [middle, addMiddle] of Object.entries(between))
    for (const [last, addLast] of Object.entries(second))
      test(`Conv, ${middle}, ${last}: ranges even out 100-fold, outputs within 1e-5`, () => {
        const builder = new GraphBuilder();
        const first = conv(builder, builder.input("x", ["batch", 3, 4, 4]), "first", [5, 3, 3, 3], same);
        const graph = spread(
          builder.build(addLast(builder, addMiddle(builder, first))),
          "first_w",
          "first_b",
        );
        const { graph: equalized, report } = equalize(graph, toolkitOps);
        expect(report.pairs).toHaveLength(1);
        expect(report.pairs[0]).toMatchObject({ first: "Conv_first", channels: 5 });
        expect(report.pairs[0]!.spreadBefore / report.pairs[0]!.spreadAfter).toBeGreaterThan(10);
        expectSameFunction(graph, equalized);
      });

  test("Linear over three dimensions", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", ["batch", 4, 6]);
    const a = builder.node("Linear", [x, builder.floats("a_w", [7, 6], 1)], "a");
    const r = builder.node("Relu", [a], "r");
    const graph = builder.build(builder.node("Linear", [r, builder.floats("b_w", [3, 7], 1)], "b"));
    const { graph: equalized, report } = equalize(graph, toolkitOps);
    expect(report.pairs).toHaveLength(1);
    expectSameFunction(graph, equalized);
  });

  test("grouped convolution reads the channels of its group", () => {
    const builder = new GraphBuilder();
    const first = conv(builder, builder.input("x", ["batch", 2, 4, 4]), "first", [6, 1, 1, 1], { group: 2 });
    const graph = spread(builder.build(conv(builder, first, "y", [4, 3, 3, 3], { group: 2 })), "first_w");
    const { graph: equalized, report } = equalize(graph, toolkitOps);
    expect(report.pairs).toHaveLength(1);
    expectSameFunction(graph, equalized);
  });

  test("a chain settles, and running it again changes less than its tolerance asks for", () => {
    const builder = new GraphBuilder();
    let x = builder.input("x", ["batch", 5, 6, 6]);
    for (let i = 0; i < 6; i++)
      x = builder.node(
        "Relu",
        [conv(builder, x, `c${i}`, i % 2 ? [5, 1, 3, 3] : [5, 5, 1, 1], i % 2 ? { ...same, group: 5 } : {})],
        `r${i}`,
      );
    const graph = spread(builder.build(x), "c0_w", "c2_w", "c3_w");
    const once = equalize(graph, toolkitOps);
    expect(once.report.pairs).toHaveLength(5);
    expect(once.report.rounds).toBeLessThan(EQUALIZE_ROUNDS);
    expect(equalize(once.graph, toolkitOps).report.rounds).toBeLessThanOrEqual(2);
    expectSameFunction(graph, once.graph);
  });
});

describe("left alone", () => {
  const reasonOf = (
    add: (builder: GraphBuilder, first: string) => readonly string[],
    edit = (graph: Graph) => graph,
  ) => {
    const builder = new GraphBuilder();
    const first = conv(builder, builder.input("x", ["batch", 3, 4, 4]), "first", [3, 3, 1, 1]);
    const graph = edit(builder.build(...add(builder, first)));
    const { graph: equalized, report } = equalize(graph, toolkitOps);
    expect(report.pairs).toHaveLength(0);
    for (const [name, { data }] of graph.constants) expect(equalized.constants.get(name)!.data).toEqual(data);
    return report.skipped.find(({ where }) => where === "Conv_first")!.reason;
  };
  const next = (builder: GraphBuilder, x: string) => conv(builder, x, "y", [3, 3, 1, 1]);

  test("across an output of the model", () => {
    expect(reasonOf((builder, x) => [x, next(builder, x)])).toMatch(/output of the model/);
  });
  test("across a residual addition", () => {
    expect(reasonOf((builder, x) => [builder.node("Add", [next(builder, x), x], "sum")])).toMatch(
      /read by 2 nodes/,
    );
  });
  test.each(["Clip", "Sigmoid"])("across %s", (op) => {
    expect(reasonOf((builder, x) => [next(builder, builder.node(op, [x], "z"))])).toMatch(/does not pass/);
  });
  test("where weights are shared", () => {
    expect(
      reasonOf((builder, x) => [builder.node("Conv", [x, "first_w"], "y", { kernel_shape: [1, 1] })]),
    ).toMatch(/shared/);
  });
});

test("channels of zeros and channels that nobody reads keep their scale", () => {
  const builder = new GraphBuilder();
  const zero = (name: string, shape: readonly number[], ...indices: readonly number[]): string => {
    const w: Tensor = builder.build().constants.get(builder.floats(name, shape, 1))!;
    for (const i of indices) w.data[i] = 0;
    return name;
  };
  const x = builder.input("x", ["batch", 4]);
  const a = builder.node("Linear", [x, zero("a_w", [3, 4], 4, 5, 6, 7)], "a");
  const graph = builder.build(builder.node("Linear", [a, zero("b_w", [2, 3], 2, 5)], "b"));
  const { graph: equalized } = equalize(graph, toolkitOps);
  const [before, after] = [graph.constants.get("a_w")!.data, equalized.constants.get("a_w")!.data];
  expect(after.slice(4)).toEqual(before.slice(4));
  expect(after.slice(0, 4)).not.toEqual(before.slice(0, 4));
  expectSameFunction(graph, equalized);
});

test("a channel of tiny weights does not have its bias blown up", () => {
  const builder = new GraphBuilder();
  const first = linear(builder, builder.input("x", ["batch", 4]), "a", [3, 4]);
  const graph = builder.build(linear(builder, builder.node("Relu", [first], "r"), "b", [2, 3]));
  const w = graph.constants.get("a_w")!.data;
  for (let i = 0; i < 4; i++) w[i]! *= 1e-9;
  const bias = equalize(graph, toolkitOps).graph.constants.get("a_b")!.data;
  expect(Math.abs(bias[0]!)).toBeLessThan(10);
});

test("a whole network: the same function, the same factors every time, its input graph untouched", () => {
  const graph = networkGraph({ quantized: false });
  const copy = new Map([...graph.constants].map(([name, { data }]) => [name, data.slice()] as const));
  const first = equalize(graph, toolkitOps);
  expect(first.report.pairs.length).toBeGreaterThan(0);
  expect(equalize(graph, toolkitOps)).toEqual(first);
  for (const [name, data] of copy) expect(graph.constants.get(name)!.data).toEqual(data);
  expectSameFunction(graph, first.graph);
});
