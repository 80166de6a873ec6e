import { describe, expect, test } from "vitest";
import { compile } from "../../../src/engine/compile";
import type { Graph } from "../../../src/graph/graph";
import { tensor } from "../../../src/graph/tensor";
import { registry } from "../../../src/ops/index";
import { expectSameBytes } from "../../check-tensors";
import { engineClasses, withModel, withModelInParts } from "../../engine/engines";
import { random } from "../../kernels/random";
import { runReference } from "../../reference/index";
import { layerGraph as graphOf, KINDS } from "./weights";

const feedsOf = (rows: number, k: number, seed = 9) => {
  const next = random(seed);
  const values = Array.from({ length: rows * k }, () => 4 * next() - 1.5);
  return { x: tensor("f32", [1, rows, k], values) };
};

describe.each(KINDS)("%s", (kind) => {
  test.each(
    engineClasses,
  )("%s: any number of rows on one packing, as the reference has it", async (engineClass) => {
    for (const [n, k] of [
      [40, 96],
      [17, 32],
    ] as const) {
      const graph = graphOf(kind, n, k, n !== 17);
      const options = { maxima: { tokens: 64 }, engineClass };
      const all = [0, 1, 3, 4, 17, 64].map((rows) => {
        const feeds = feedsOf(rows, k);
        return { feeds, expected: runReference(graph, feeds).get("y")! };
      });
      withModel(graph, options, (model) => {
        for (const { feeds, expected } of all) expectSameBytes(model.runSync(feeds).y!, expected);
      });
      await withModelInParts(graph, options, (model) => {
        for (const { feeds, expected } of all) expectSameBytes(model.runSync(feeds).y!, expected);
      });
    }
  });

  test("takes its kernels, and each weight once", () => {
    const graph = graphOf(kind, 40, 96);
    const bytes = (one: Graph) => withModel(one, {}, ({ plan }) => plan.memory.constantBytes);
    const twice = {
      ...graph,
      outputs: ["y", "z"],
      nodes: [...graph.nodes, { ...graph.nodes[1]!, name: "again", outputs: ["z"] }],
    };
    expect(bytes(twice) - bytes(graph)).toBeLessThan(1024);
    const kernel = kind === "int8" ? "linearInt8" : kind.startsWith("int4") ? "linearInt4" : "linearBlocks";
    withModel(graph, {}, ({ plan }) => expect(plan.steps.map((step) => step.kernel)).toContain(kernel));
  });
});

describe("what does not fit is refused", () => {
  const load = (graph: Graph) => () => withModel(graph, {}, () => undefined);
  const withConstants = (
    graph: Graph,
    ...others: (readonly [string, ReturnType<typeof tensor>])[]
  ): Graph => ({
    ...graph,
    constants: new Map([...graph.constants, ...others]),
  });

  test("codes of more than 4 bits", () => {
    const graph = graphOf("int4", 3, 64);
    const codes = tensor("i8", [3, 64], new Int8Array(192).fill(8));
    expect(load(withConstants(graph, ["w", codes]))).toThrow(
      /constant "w": its numbers do not fit.*codes in -8..7/,
    );
  });

  test("offsets beyond 16 bits", () => {
    const graph = graphOf("int4 with offsets", 3, 64);
    const offsets = tensor("i32", [3, 2], new Int32Array(6).fill(40000));
    expect(load(withConstants(graph, ["w_offsets", offsets]))).toThrow(/offsets in ±31751/);
  });

  test("groups of 16 with whole scales", () => {
    const graph = graphOf("int4", 3, 64);
    const [quantize, fc] = graph.nodes as [Graph["nodes"][0], Graph["nodes"][0]];
    const [x, w] = fc.codes!.inputs;
    const groups = { ...w!.groups!, size: 16 };
    const nodes = [quantize, { ...fc, codes: { inputs: [x, { ...w!, groups }] } }];
    const scales = tensor("i8", [3, 4], new Int8Array(12).fill(1));
    expect(load(withConstants({ ...graph, nodes }, ["w_groups", scales]))).toThrow(
      /groups of a multiple of 32/,
    );
  });

  test("blocks of 64 with float scales", () => {
    const graph = graphOf("blocks of 32", 3, 64);
    const [quantize, fc] = graph.nodes as [Graph["nodes"][0], Graph["nodes"][0]];
    const [x, w] = fc.codes!.inputs;
    const groups = { ...w!.groups!, size: 64 };
    const nodes = [quantize, { ...fc, codes: { inputs: [x, { ...w!, groups }] } }];
    const scales = tensor("f32", [3, 1], [1, 1, 1]);
    expect(load(withConstants({ ...graph, nodes }, ["w_groups", scales]))).toThrow(/groups of 16 or 32/);
  });

  test("weights in groups where their kernels are not", () => {
    const graph = graphOf("int4", 3, 64);
    expect(() => compile(graph, { registry, engineClass: "baseline" })).toThrow(
      /symmetric.*groups of i8 codes/,
    );
  });

  test("groups of weights to codes", () => {
    const graph = graphOf("int4", 3, 64);
    const [quantize, fc] = graph.nodes as [Graph["nodes"][0], Graph["nodes"][0]];
    const output = { scale: "y_scale", zeroPoint: "y_zero" };
    const nodes = [quantize, { ...fc, codes: { ...fc.codes!, output } }];
    const constants = [
      ["y_scale", tensor("f32", [], [1])],
      ["y_zero", tensor("u8", [], [0])],
    ] as const;
    expect(load(withConstants({ ...graph, nodes }, ...constants))).toThrow(/no scale of its result/);
  });
});
