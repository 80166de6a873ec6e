// Operators over sequences whose elements a file names: what is read of them computes what they mean, without sequences.

import { describe, expect, test } from "vitest";
import { importOnnx, loadSync } from "../../../src/index";
import { type FileNode, onnxFile, type RawTensor } from "./model-file";

const INT64 = 7;
const longs = (shape: readonly number[], ...values: number[]): RawTensor => ({
  dataType: INT64,
  shape,
  bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});
const number = (value: number) => longs([], value);

const node = (
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: FileNode["attributes"] = {},
) => ({
  op,
  inputs,
  outputs: [output],
  attributes,
});

const initializers = {
  zero: number(0),
  one: number(1),
  two: number(2),
  three: number(3),
  last: number(-1),
  parts: longs([3], 1, 2, 1),
};

const read = (nodes: readonly FileNode[]) =>
  importOnnx(onnxFile({ nodes, initializers, inputs: [{ name: "x", shape: [3, 4] }], outputs: ["y"] }));

/** x is 0 … 11, [3, 4]. */
function run(nodes: readonly FileNode[]) {
  const graph = read(nodes);
  expect(graph.nodes.filter(({ op }) => op.includes("Sequence"))).toEqual([]);
  using model = loadSync(graph);
  const { shape, data } = model.runSync({ x: Float32Array.from({ length: 12 }, (_, i) => i) }).y!;
  return { shape: [...shape], data: [...data] };
}

const split = (attributes: FileNode["attributes"], lengths?: string) =>
  node("SplitToSequence", lengths === undefined ? ["x"] : ["x", lengths], "s", attributes);
const at = (place: string, from = "s", output = "y") => node("SequenceAt", [from, place], output);
const negated = node("Neg", ["x"], "n");

test.each<[string, readonly FileNode[], readonly number[], readonly number[]]>([
  ["SplitToSequence without a dimension", [split({ axis: 1, keepdims: 0 }), at("two")], [3], [2, 6, 10]],
  [
    "the last element but for its dimension",
    [split({ axis: 0, keepdims: 1 }), at("two")],
    [1, 4],
    [8, 9, 10, 11],
  ],
  ["parts of one element", [split({ axis: -1, keepdims: 0 }, "one"), at("three")], [3, 1], [3, 7, 11]],
  [
    "an inserted element",
    [
      negated,
      node("SequenceEmpty", [], "e"),
      node("SequenceInsert", ["e", "x"], "f"),
      node("SequenceInsert", ["f", "n", "zero"], "s"),
      at("zero"),
    ],
    [3, 4],
    [-0, -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11],
  ],
  [
    "joined elements",
    [
      negated,
      node("SequenceConstruct", ["n"], "s"),
      node("SequenceInsert", ["s", "x", "zero"], "t"),
      node("ConcatFromSequence", ["t"], "u", { axis: 1 }),
      node("ReduceSum", ["u"], "y", { keepdims: 0 }),
    ],
    [],
    [0],
  ],
  [
    "stacked elements",
    [
      negated,
      node("SequenceConstruct", ["x", "n"], "s"),
      node("ConcatFromSequence", ["s"], "t", { axis: -1, new_axis: 1 }),
      node("ReduceSum", ["t"], "y", { keepdims: 0 }),
    ],
    [],
    [0],
  ],
  [
    "a length",
    [
      node("SequenceConstruct", ["x", "x", "x"], "s"),
      node("SequenceLength", ["s"], "l"),
      node("Cast", ["l"], "f", { to: 1 }),
      node("Add", ["x", "f"], "y"),
    ],
    [3, 4],
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
  ],
])("%s", (_, nodes, shape, data) =>
  expect(run(nodes)).toEqual({ shape, data: data.map((v) => expect.closeTo(v, 6)) }));

describe("sequences that are refused", () => {
  const loop = { nodes: [], inputs: [], outputs: [] };
  test.each<[string, readonly FileNode[], RegExp]>([
    [
      "a computed position",
      [negated, split({}), node("Cast", ["n"], "k", { to: INT64 }), at("k")],
      /its position does not fit.*got a computed one/,
    ],
    [
      "a position past the end",
      [node("SequenceConstruct", ["x", "x", "x"], "s"), at("three")],
      /expected a constant below 3, got 3/,
    ],
    ["a position from an unknown end", [split({ axis: 1 }), at("last")], /its position does not fit/],
    [
      "computed lengths",
      [node("Cast", ["x"], "k", { to: INT64 }), split({}, "k"), at("one")],
      /its parts are longer than one element, or their lengths are computed/,
    ],
    ["parts of several elements", [split({ axis: 1 }, "parts"), at("one")], /expected single elements/],
    [
      "as many as MAX_ELEMENTS",
      [node("SequenceConstruct", new Array(513).fill("x"), "s"), at("one")],
      /MAX_ELEMENTS = 512/,
    ],
    ["an unknown length", [split({}), node("ConcatFromSequence", ["s"], "y", { axis: 0 })], /unknown length/],
    ["what is no sequence", [at("one", "x")], /the elements of "x" are not known/],
    [
      "a sequence that a loop carries",
      [
        node("SequenceEmpty", [], "s"),
        node("Loop", ["two", "", "s"], "l", { body: { graph: loop } }),
        at("one", "l"),
      ],
      /the elements of "l" are not known/,
    ],
  ])("%s", (_, nodes, error) => expect(() => read(nodes)).toThrow(error));

  test.each([0, 1])("an element past the end of its dimension, which a run knows (keepdims %i)", (keepdims) =>
    expect(() => run([split({ axis: 0, keepdims }), at("three")])).toThrow(/index out of range/));
});
