// Graphs within a graph, in files: what comes of ONNX files and artifacts, and that damaged and hostile ones end in typed errors.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import { readArtifact } from "../../src/formats/octette";
import { readSafetensors } from "../../src/formats/safetensors";
import { bodiesOf, graphsIn, MAX_BODIES, MAX_DEPTH, nodesIn } from "../../src/graph/bodies";
import type { Graph, Node } from "../../src/graph/graph";
import { printGraph } from "../../src/graph/print";
import { Random } from "../../src/graph/random";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { verify } from "../../src/graph/verify";
import { exportOnnx, importOnnx, load, loadSync, save } from "../../src/index";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { structureOf } from "../same-graph";
import { type FileGraph, type FileModel, onnxFile } from "./onnx/model-file";
import { resealed } from "./sealed";

const weights = (from: number): Tensor =>
  tensor(
    "f32",
    [4, 4],
    Array.from({ length: 16 }, (_, i) => from + i / 16),
  );
const product = (w: string, initializers: FileGraph["initializers"] = {}): FileGraph => ({
  nodes: [
    { op: "MatMul", inputs: ["x", w], outputs: ["p"] },
    { op: "Tanh", inputs: ["p"], outputs: ["made"] },
  ],
  outputs: ["made"],
  initializers,
});
const branching = (then_branch: FileGraph, else_branch: FileGraph): FileModel["nodes"][number] => ({
  op: "If",
  name: "either",
  inputs: ["c"],
  outputs: ["y"],
  attributes: { then_branch: { graph: then_branch }, else_branch: { graph: else_branch } },
});
const inputs = [
  { name: "c", shape: [], type: 9 },
  { name: "x", shape: ["n", 4] },
];
/** Weights of the graph around are read in it and in one branch; the other one has its own, under the same name as another constant. */
const model: FileModel = {
  nodes: [
    { op: "MatMul", inputs: ["x", "w"], outputs: ["q"] },
    branching(product("w"), product("own", { own: weights(-1) })),
    { op: "Mul", inputs: ["y", "q"], outputs: ["z"] },
    { op: "Add", inputs: ["z", "own2"], outputs: ["out"] },
  ],
  inputs,
  outputs: ["out"],
  initializers: {
    w: weights(1),
    own2: weights(2).data.length ? tensor("f32", [4], [1, 2, 3, 4]) : weights(0),
  },
};
const bytes = onnxFile(model);
const graph = importOnnx(bytes, { name: "either" });
const saved = save(graph);
const feeds = (holds: boolean) => ({
  c: tensor("bool", [], [holds ? 1 : 0]),
  x: tensor(
    "f32",
    [2, 4],
    [1, 2, 3, 4, -1, -2, -3, -4].map((n) => n / 8),
  ),
});

describe("an artifact with graphs within the graph", () => {
  test("has their names, and nothing of their types but those of inputs", () => {
    const read = readArtifact(saved).graph;
    const ops = (one: Graph) => nodesIn(one).map(({ op, name }) => `${op} ${name}`);
    expect(ops(read).sort()).toEqual(ops(graph).sort());
    expect(save(read)).toEqual(saved);
    expect(printGraph(read)).toMatch(/then_branch: graph either_then_branch\n.*%x \[n, 4\] f32 = input/);
  });

  test("is read as a stream, weights of branches straight to memory", async () => {
    const [streamed, whole] = [await load(new Blob([saved])), loadSync(graph)];
    expect(
      nodesIn(streamed.graph)
        .flatMap((node) => bodiesOf(node))
        .flatMap(({ constants }) => [...constants.values()])
        .some(({ data, shape }) => shape.length > 1 && data),
    ).toBe(false);
    for (const holds of [true, false, true])
      expect(streamed.runSync(feeds(holds)).out).toEqual(whole.runSync(feeds(holds)).out);
  });

  test("has weights once that several graphs read as they are", () => {
    const twice = (name: string): FileGraph => ({
      nodes: [{ op: "Add", inputs: ["x", name], outputs: ["made"] }],
      outputs: ["made"],
    });
    const rows = { ...inputs[1]!, shape: [4, 4] };
    const file = {
      nodes: [
        branching(twice("w"), {
          ...twice("w"),
          nodes: [{ op: "Sub", inputs: ["x", "w"], outputs: ["made"] }],
        }),
      ],
      inputs: [inputs[0]!, rows],
      initializers: { w: weights(1) },
    };
    const both = importOnnx(onnxFile(file));
    const [a, b] = bodiesOf(both.nodes[0]!).map(({ constants }) => [...constants.values()]);
    expect(a![0]).toBe(b![0]);
    const { tensors } = readSafetensors(save(both), "saved");
    expect([...tensors.keys()]).toEqual(["w"]);
    expect(
      loadSync(save(both))
        .runSync({ c: feeds(false).c, x: weights(3) })
        .y!.data.every((value) => value === 2),
    ).toBe(true);
  });

  test("cut and with bits flipped, also behind its hashes, is read or refused by a typed error", () => {
    const random = new Random(5);
    let read = 0;
    const attempt = (damaged: Uint8Array) => {
      try {
        loadSync(damaged, { maxBytes: "16MB", maxIterations: 100 }).dispose();
        read++;
      } catch (error) {
        if (!(error instanceof OctetteError)) throw error;
      }
    };
    const header = Number(new DataView(saved.buffer).getBigUint64(0, true));
    for (let i = 0; i < 400; i++) {
      const damaged = saved.slice();
      for (let n = random.below(3); n >= 0; n--) damaged[8 + random.below(header)]! ^= 1 << random.below(8);
      attempt(i % 2 ? damaged : resealedOr(damaged));
    }
    expect(read).toBeLessThan(400);
  });
});

/** With right hashes, where it can be read far enough. */
function resealedOr(damaged: Uint8Array): Uint8Array {
  try {
    return resealed(damaged);
  } catch {
    return damaged;
  }
}

/** A graph in which one is in the other, `depth` times. */
function nested(depth: number, at = 0): Graph {
  const inner = at < depth ? [nested(depth, at + 1)] : [];
  const node: Node = {
    op: inner.length > 0 ? "If" : "Relu",
    name: `n${at}`,
    inputs: inner.length > 0 ? ["c", "c", "x"] : ["x"],
    outputs: ["y"],
    attributes: {},
    ...(inner.length > 0 && { graphs: { then_branch: inner[0]!, else_branch: inner[0]! } }),
  };
  return {
    name: `g${at}`,
    inputs: [
      { name: "c", dtype: "bool", shape: [] },
      { name: "x", dtype: "f32", shape: ["n"] },
    ],
    outputs: ["y"],
    nodes: [node],
    constants: new Map(),
    provenance: {},
  };
}

describe("graphs within graphs are bounded", () => {
  const deep = (depth: number): FileGraph =>
    depth === 0
      ? product("w")
      : { nodes: [{ ...branching(deep(depth - 1), product("w")), outputs: ["made"] }], outputs: ["made"] };
  const file = (depth: number): FileModel => ({
    nodes: [branching(deep(depth), product("w"))],
    inputs,
    initializers: { w: weights(1) },
  });

  test("in depth, in ONNX files", () => {
    expect(graphsIn(importOnnx(onnxFile(file(MAX_DEPTH - 1)))).length).toBe(2 * MAX_DEPTH + 1);
    for (const depth of [MAX_DEPTH, 200])
      expect(() => importOnnx(onnxFile(file(depth)))).toThrow(
        expect.objectContaining({
          code: "limit",
          message: expect.stringMatching(/too many graphs within graphs.*MAX_DEPTH = 8/),
        }),
      );
  });

  test("in depth and number, in graphs of one's own and in artifacts", () => {
    expect(() => verify(nested(MAX_DEPTH + 1))).toThrow(/too many graphs within graphs/);
    // Each of two branches has two.
    expect(() => verify(nested(MAX_DEPTH))).toThrow(`MAX_BODIES = ${MAX_BODIES} in all`);
    const three = simplify(nested(3), toolkitOps);
    expect(
      loadSync(save(three)).runSync({ c: feeds(true).c, x: tensor("f32", [2], [-1, 1]) }).y!.data,
    ).toEqual(Float32Array.of(0, 1));
  });
});

describe("a graph within a graph that does not fit is refused", () => {
  const either = graph.nodes.find(({ op }) => op === "If")!;
  const changed = (change: (node: Node) => Node): Graph => ({
    ...graph,
    nodes: graph.nodes.map((node) => (node === either ? change(node) : node)),
  });
  const { then_branch, else_branch } = either.graphs as Record<string, Graph>;
  const cases: Record<string, [(node: Node) => Node, RegExp]> = {
    "without one": [
      (node) => ({ ...node, graphs: { then_branch: then_branch! } }),
      /its graphs are not those that the op runs/,
    ],
    "with none": [({ graphs: _, ...node }) => node, /its graphs are not those that the op runs/],
    "of another op": [(node) => ({ ...node, op: "Relu", inputs: ["q"], attributes: {} }), /expected none/],
    "which reads what is around it": [
      (node) => ({
        ...node,
        graphs: {
          then_branch: { ...then_branch!, nodes: [{ ...then_branch!.nodes[0]!, inputs: ["q"] }] },
          else_branch: else_branch!,
        },
      }),
      /input "q" is produced by no node/,
    ],
    "with inputs of other types": [
      (node) => ({
        ...node,
        graphs: {
          then_branch: { ...then_branch!, inputs: [{ name: "x", dtype: "f32", shape: ["n"] }] },
          else_branch: else_branch!,
        },
      }),
      /./,
    ],
    "with too few sizes to find": [
      (node) => ({ ...node, attributes: { found: ["a"] } }),
      /attribute found does not fit.*expected 2 symbols, got 1/s,
    ],
    "with more inputs": [
      (node) => ({
        ...node,
        graphs: {
          then_branch: {
            ...then_branch!,
            inputs: [...then_branch!.inputs, { name: "more", dtype: "f32", shape: [] }],
          },
          else_branch: else_branch!,
        },
      }),
      /does not take as many inputs/,
    ],
  };
  test.each(Object.entries(cases))("%s", (_, [change, message]) => {
    expect(() => loadSync(changed(change))).toThrow(
      expect.objectContaining({
        name: "OctetteError",
        code: "graph",
        message: expect.stringMatching(message),
      }),
    );
  });
});

test("a graph with graphs within is written to ONNX, and read again", async () => {
  const read = importOnnx(await exportOnnx(graph), { name: graph.name });
  expect(structureOf(read)).toEqual(structureOf(graph));
});

test("a size that is found and that of an input has to be the same", () => {
  const finding = (...found: string[]) =>
    loadSync({
      ...graph,
      nodes: graph.nodes.map((node) => (node.graphs ? { ...node, attributes: { found } } : node)),
    });
  expect(finding("n", "m").runSync(feeds(true))).toEqual(loadSync(graph).runSync(feeds(true)));
  expect(() => finding("m", "n").runSync(feeds(true))).toThrow(
    expect.objectContaining({
      code: "graph",
      message: expect.stringMatching(/a size that is found is not that of the graph: expected n = 2, got 4/),
    }),
  );
});

test("names that bodies have in common with the graph around are told apart", () => {
  const own = (value: number): FileGraph => ({
    nodes: [{ op: "Mul", inputs: ["x", "k"], outputs: ["made"] }],
    outputs: ["made"],
    initializers: { k: tensor("f32", [4], [value, value, value, value]) },
  });
  const file = {
    nodes: [branching(own(2), own(3)), { op: "Add", inputs: ["y", "k"], outputs: ["out"] }],
    inputs,
    outputs: ["out"],
    initializers: { k: tensor("f32", [4], [10, 20, 30, 40]) },
  };
  const read = loadSync(save(importOnnx(onnxFile(file))));
  const x = tensor("f32", [1, 4], [1, 1, 1, 1]);
  expect(read.runSync({ ...feeds(true), x }).out!.data).toEqual(Float32Array.of(12, 22, 32, 42));
  expect(read.runSync({ ...feeds(false), x }).out!.data).toEqual(Float32Array.of(13, 23, 33, 43));
});
