// Whatever is passed as a graph: refused with a typed error before anything is computed from it.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import type { Graph } from "../../src/graph/graph";
import { createDataset, importOnnx, load, loadSync, quantize, save, tensor, tune } from "../../src/index";
import { readExample } from "../examples";

const graph = importOnnx(await readExample("digits.onnx"));
const [first, ...others] = graph.nodes as [Graph["nodes"][0], ...Graph["nodes"][0][]];
const [[name, value], ...rest] = [...graph.constants] as [
  [string, Graph["constants"] extends ReadonlyMap<string, infer T> ? T : never],
];
const loaded = await load(save(graph));
const x = tensor("f32", [20, 1, 8, 8], new Float32Array(1280));
const data = createDataset({ [graph.inputs[0]!.name]: x }, graph.inputs, {
  labels: tensor("i32", [20], new Int32Array(20)),
});

const cases: [string, object, RegExp][] = [
  ["one node twice", { nodes: [first, first, ...others] }, /another node has this name/],
  ["nodes in the wrong order", { nodes: [...others, first] }, /produced only later/],
  [
    "an attribute that no op reads",
    { nodes: [{ ...first, attributes: { ...first.attributes, colour: 1 } }, ...others] },
    /attribute colour is unknown/,
  ],
  ["no inputs", { inputs: null }, /not a graph/],
  ["a node that is none", { nodes: [null] }, /not a graph/],
  [
    "constants in an object",
    { constants: {} },
    /not a graph: expected what importOnnx or readArtifact gives, got/,
  ],
  [
    "a constant of another type",
    { constants: new Map([[name, { ...value, dtype: "i8" }], ...rest]) },
    /its elements are not of its dtype: expected i8, got Float32Array/,
  ],
  ["the graph of a loaded model", loaded.graph, /the graph has no weights.*readArtifact/],
];

describe.each(cases)("%s", (_, part, message) => {
  const broken = { ...graph, ...part } as Graph;
  test.each([
    ["load", () => load(broken)],
    ["loadSync", () => loadSync(broken)],
    ["save", () => save(broken)],
    ["quantize", () => quantize(broken, { calibration: data.batches(4) })],
    ["tune", () => tune(broken, { data })],
  ])("%s", async (_, use) => {
    const error = await (async () => use())().catch((cause) => cause);
    expect(error).toBeInstanceOf(OctetteError);
    expect(error.message).toMatch(message);
  });
});
