import { describe, expect, test } from "vitest";
import type { Graph, Node } from "../../../src/graph/graph";
import { tensor } from "../../../src/graph/tensor";
import { expectSameBytes } from "../../check-tensors";
import { engineClasses, withModel, withModelInParts } from "../../engine/engines";
import { runReference } from "../../reference/index";
import { KINDS, type Kind, weightsOf } from "./weights";

/** Rows of a table [n, k] by tokens; with a head, also their logits over the same table. */
function graphOf(kind: Kind, n: number, k: number, hasHead = false): Graph {
  const { constants, codes } = weightsOf(kind, n, k, 3);
  const embed: Node = {
    op: "Gather",
    name: "embed",
    inputs: ["w", "ids"],
    outputs: ["rows"],
    attributes: { axis: 0 },
    codes: { inputs: [codes] },
  };
  const head: Node[] = [
    {
      op: "DynamicQuantize",
      name: "quantize",
      inputs: ["rows"],
      outputs: ["codes", "scale", "zero"],
      attributes: { axis: -1 },
    },
    {
      op: "Linear",
      name: "head",
      inputs: ["codes", "w"],
      outputs: ["logits"],
      attributes: {},
      codes: { inputs: [{ scale: "scale", zeroPoint: "zero", axis: -1 }, codes] },
    },
  ];
  return {
    name: "table",
    inputs: [{ name: "ids", dtype: "i32", shape: [1, "tokens"] }],
    outputs: hasHead ? ["rows", "logits"] : ["rows"],
    nodes: hasHead ? [embed, ...head] : [embed],
    constants: new Map(constants),
    provenance: {},
  };
}

describe.each(KINDS)("%s", (kind) => {
  test.each(engineClasses)("%s: rows of any index, and logits over the same table", async (engineClass) => {
    for (const [n, k] of [
      [1, 32],
      [17, 64],
      [70, 96],
    ] as const) {
      const graph = graphOf(kind, n, k, true);
      const wild = [0, n - 1, -1, -n, n, -n - 1, 2 ** 31 - 1, -(2 ** 31)];
      const feeds = [[], [0], Array.from({ length: n }, (_, i) => i), wild].map((ids) => ({
        ids: tensor("i32", [1, ids.length], ids),
      }));
      const all = feeds.map((fed) => ({ fed, expected: runReference(graph, fed) }));
      const options = { maxima: { tokens: 70 }, engineClass };
      const check = (model: Parameters<Parameters<typeof withModel>[2]>[0]) => {
        for (const { fed, expected } of all) {
          const outputs = model.runSync(fed);
          for (const name of graph.outputs) expectSameBytes(outputs[name]!, expected.get(name)!);
        }
      };
      withModel(graph, options, check);
      await withModelInParts(graph, options, check);
    }
  });

  test("a table and a head of the same weights are in memory once", () => {
    const bytes = (hasHead: boolean) =>
      withModel(graphOf(kind, 512, 96, hasHead), {}, ({ plan }) => plan.memory.constantBytes);
    expect(bytes(true) - bytes(false)).toBeLessThan(8192);
  });

  test("a large table is packed in parts", () => {
    const [n, k] = [16400, 320];
    const graph = graphOf(kind, n, k);
    const ids = [0, 7, 13103, 13104, 13119, 13120, n - 1];
    const feeds = { ids: tensor("i32", [1, ids.length], ids) };
    const expected = runReference(graph, feeds).get("rows")!;
    withModel(graph, { maxima: { tokens: 8 } }, (model) => {
      expectSameBytes(model.runSync(feeds).rows!, expected);
      expect(model.plan.memory.arenaBytes).toBeLessThan(8e6);
    });
  });
});

test("rows along another axis, and of zero points, are refused", () => {
  const graph = graphOf("int8", 4, 32);
  const load = (node: Partial<Node>, more: readonly (readonly [string, ReturnType<typeof tensor>])[] = []) =>
    withModel(
      {
        ...graph,
        nodes: [{ ...graph.nodes[0]!, ...node }],
        constants: new Map([...graph.constants, ...more]),
      },
      {},
      () => undefined,
    );
  expect(() => load({ attributes: { axis: 1 } })).toThrow(/rows of codes are those of a constant table/);
  const zeroPoint = tensor("i8", [4], [0, 1, 0, 0]);
  const codes = { inputs: [{ scale: "w_scale", zeroPoint: "z", axis: 0 }] };
  expect(() => load({ codes }, [["z", zeroPoint]])).toThrow(/symmetric/);
});
