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
  ten: { dataType: 1, shape: [], bytes: new Uint8Array(Float32Array.of(10).buffer) },
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
  ["parts of several elements", [split({ axis: 1 }, "parts"), at("one")], [3, 2], [1, 2, 5, 6, 9, 10]],
  ["parts of two", [split({ axis: -1 }, "two"), at("last")], [3, 2], [2, 3, 6, 7, 10, 11]],
  ["the last slice", [split({ axis: 1, keepdims: 0 }), at("last")], [3], [3, 7, 11]],
  [
    "a computed position",
    [
      split({ axis: 0, keepdims: 0 }),
      node("ReduceMax", ["x"], "m", { keepdims: 0 }),
      node("Sub", ["m", "ten"], "d"),
      node("Cast", ["d"], "k", { to: INT64 }),
      at("k"),
    ],
    [4],
    [4, 5, 6, 7],
  ],
  [
    "slices along another axis",
    [split({ axis: 1, keepdims: 0 }), node("ConcatFromSequence", ["s"], "y", { axis: 0, new_axis: 1 })],
    [4, 3],
    [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11],
  ],
  [
    "slices one after another",
    [split({ axis: 1, keepdims: 0 }), node("ConcatFromSequence", ["s"], "y", { axis: -1 })],
    [12],
    [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11],
  ],
  [
    "slices that keep their axis, one after another along the other",
    [split({ axis: -1 }), node("ConcatFromSequence", ["s"], "y", { axis: 0 })],
    [12, 1],
    [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11],
  ],
  [
    "slices as they were",
    [split({ axis: 1 }), node("ConcatFromSequence", ["s"], "y", { axis: 1 })],
    [3, 4],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  ],
  [
    "an element that is taken out",
    [
      negated,
      node("SequenceConstruct", ["n", "x", "n"], "s"),
      node("SequenceErase", ["s", "zero"], "t"),
      node("SequenceErase", ["t"], "u"),
      at("last", "u"),
    ],
    [3, 4],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  ],
  [
    "the length of slices and an element",
    [
      split({ axis: 1, keepdims: 0 }),
      node("ReduceMax", ["x"], "m", { axes: [1], keepdims: 0 }),
      node("SequenceInsert", ["s", "m"], "t"),
      node("SequenceLength", ["t"], "l"),
      node("Cast", ["l"], "f", { to: 1 }),
      node("Identity", ["f"], "y"),
    ],
    [],
    [5],
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
  test.each<[string, readonly FileNode[], RegExp]>([
    [
      "a position past the end",
      [node("SequenceConstruct", ["x", "x", "x"], "s"), at("three")],
      /expected a constant below 3, got 3/,
    ],
    [
      "computed lengths",
      [node("Cast", ["x"], "k", { to: INT64 }), split({}, "k"), at("one")],
      /the lengths of its parts are computed/,
    ],
    [
      "as many as MAX_ELEMENTS",
      [node("SequenceConstruct", new Array(513).fill("x"), "s"), at("one")],
      /MAX_ELEMENTS = 512/,
    ],
    ["what is no sequence", [at("one", "x")], /the elements of "x" are not known/],
    [
      "an element put among the slices of a tensor",
      [split({ axis: 0, keepdims: 0 }), node("SequenceInsert", ["s", "x", "two"], "t"), at("one", "t")],
      /its position does not fit.*expected a constant place before or after all elements/,
    ],
    [
      "an element taken from the slices of a tensor",
      [split({ axis: 0, keepdims: 0 }), node("SequenceErase", ["s"], "t"), at("one", "t")],
      /its position does not fit/,
    ],
    [
      "no elements",
      [node("SequenceEmpty", [], "s"), node("ConcatFromSequence", ["s"], "y", { axis: 0 })],
      /its sequence is empty/,
    ],
    [
      "a list as an output",
      [node("SequenceConstruct", ["x"], "y")],
      /output "y": an output is a list of tensors: expected a tensor/,
    ],
  ])("%s", (_, nodes, error) => expect(() => read(nodes)).toThrow(error));

  test("parts of which one is shorter", () =>
    expect(() => run([split({ axis: 0 }, "two"), at("zero")])).toThrow(/the number of elements changes/));

  test.each([0, 1])("an element past the end of its dimension, which a run knows (keepdims %i)", (keepdims) =>
    expect(() => run([split({ axis: 0, keepdims }), at("three")])).toThrow(/index out of range/));
});
