// Graphs of a file that others run: branches and loops.

import { expect, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
import { loadSync, save } from "../../../src/index";
import { importTflite } from "../../../src/tflite";
import { type FileGraph, type FileTensor, tfliteFile } from "./tflite-file";

const [ADD, MUL, LESS, RELU, IF, WHILE, VAR_HANDLE, READ] = [0, 18, 58, 19, 118, 119, 142, 143];

const floats = (name: string): FileTensor => ({ name, shape: [1, 3], signature: [-1, 3] });
const codes = (name: string): FileTensor => ({
  name,
  shape: [1, 3],
  type: "i8",
  scale: [0.5],
  zeroPoint: [3],
});
const number = (value: number, type: "f32" | "i32" = "f32"): FileTensor => ({
  shape: [],
  type,
  data: [value],
});

/** A graph of one operator of x and a number. */
const by = (code: number, value: number, of = floats): FileGraph => ({
  tensors: [of("a"), of === floats ? number(value) : { ...of("k"), shape: [], data: [value] }, of("b")],
  operators: [{ code, inputs: [0, 1], outputs: [2], options: {} }],
  inputs: [0],
  outputs: [2],
});

const branching = (then: FileGraph, other: FileGraph, of = floats): FileGraph[] => [
  {
    tensors: [{ name: "c", shape: [], type: "bool" }, of("x"), of("y"), of("z")],
    operators: [
      { code: IF, inputs: [0, 1], outputs: [2], options: { 0: { int: 1 }, 1: { int: 2 } } },
      { code: RELU, inputs: [2], outputs: [3] },
    ],
    inputs: [0, 1],
    outputs: [3],
  },
  then,
  other,
];

const flag = (holds: number) => tensor("bool", [], [holds]);

test("IF runs one of two graphs, of a file and of an artifact", () => {
  const graph = importTflite(tfliteFile(branching(by(ADD, 10), by(MUL, -2))));
  for (const source of [graph, save(graph)]) {
    const model = loadSync(source);
    const x = tensor("f32", [2, 3], [1, -2, 3, 4, -50, 6]);
    const run = (holds: number) => Array.from(model.runSync({ c: flag(holds), x }).z!.data);
    expect(run(1)).toEqual([11, 8, 13, 14, 0, 16]);
    expect(run(0)).toEqual([0, 4, 0, 0, 100, 0]);
    model.dispose();
  }
});

test("IF over codes, whose graphs have scales of their own", () => {
  // 13 and 7 stand for 5 and 2.
  const model = loadSync(importTflite(tfliteFile(branching(by(ADD, 13, codes), by(MUL, 7, codes), codes))));
  const x = tensor("i8", [1, 3], [5, 1, 3]);
  const run = (holds: number) => Array.from(model.runSync({ c: flag(holds), x }).z!.data);
  // x is 1, −1, 0: the sums are 6, 4, 5; the products 2, −2, 0, below 0 cut off.
  expect(run(1)).toEqual([15, 11, 13]);
  expect(run(0)).toEqual([7, 3, 3]);
  model.dispose();
});

test("IF whose condition is known is the graph that it chooses", () => {
  const [main, ...others] = branching(by(ADD, 10), by(MUL, -2)) as [FileGraph, ...FileGraph[]];
  const [, ...tensors] = main.tensors;
  const known = {
    ...main,
    tensors: [{ shape: [], type: "bool" as const, data: [0] }, ...tensors],
    inputs: [1],
  };
  const graph = importTflite(tfliteFile([known, ...others]));
  expect(graph.nodes.map(({ op }) => op)).toEqual(["Mul", "Relu"]);
});

/** While i < n: i += 1, x *= 2. */
const doubling: FileGraph[] = [
  {
    tensors: [
      { name: "n", shape: [], type: "i32" },
      floats("x"),
      number(0, "i32"),
      { name: "i", shape: [], type: "i32" },
      { name: "m", shape: [], type: "i32" },
      floats("y"),
    ],
    operators: [
      { code: WHILE, inputs: [2, 0, 1], outputs: [3, 4, 5], options: { 0: { int: 1 }, 1: { int: 2 } } },
    ],
    inputs: [0, 1],
    outputs: [3, 5],
  },
  {
    tensors: [
      { name: "i", shape: [], type: "i32" },
      { name: "n", shape: [], type: "i32" },
      floats("x"),
      { name: "holds", shape: [], type: "bool" },
    ],
    operators: [{ code: LESS, inputs: [0, 1], outputs: [3], options: {} }],
    inputs: [0, 1, 2],
    outputs: [3],
  },
  {
    tensors: [
      { name: "i", shape: [], type: "i32" },
      { name: "n", shape: [], type: "i32" },
      floats("x"),
      number(1, "i32"),
      number(2),
      { name: "next", shape: [], type: "i32" },
      floats("twice"),
    ],
    operators: [
      { code: ADD, inputs: [0, 3], outputs: [5], options: {} },
      { code: MUL, inputs: [2, 4], outputs: [6], options: {} },
    ],
    inputs: [0, 1, 2],
    outputs: [5, 1, 6],
  },
];

test("WHILE runs a graph as long as another one says, not at all where it does not hold at first", () => {
  const graph = importTflite(tfliteFile(doubling));
  for (const source of [graph, save(graph)]) {
    const model = loadSync(source);
    const x = tensor("f32", [2, 3], [1, -2, 3, 4, -5, 6]);
    for (const [n, times] of [
      [3, 3],
      [0, 0],
      [-2, 0],
      [10, 10],
    ] as const) {
      const { i, y } = model.runSync({ n: tensor("i32", [], [n]), x });
      expect(Array.from(i!.data)).toEqual([times]);
      expect(Array.from(y!.data)).toEqual(Array.from(x.data, (v) => v * 2 ** times));
    }
    model.dispose();
  }
});

test("WHILE whose condition reads a variable is refused", () => {
  const [main, , body] = doubling as [FileGraph, FileGraph, FileGraph];
  const condition: FileGraph = {
    tensors: [
      { name: "i", shape: [], type: "i32" },
      { name: "n", shape: [], type: "i32" },
      floats("x"),
      { name: "holds", shape: [], type: "bool" },
      { shape: [], type: 13 },
      { name: "most", shape: [], type: "i32" },
    ],
    operators: [
      { code: VAR_HANDLE, inputs: [], outputs: [4], options: { 0: { text: "" }, 1: { text: "most" } } },
      { code: READ, inputs: [4], outputs: [5], options: {} },
      { code: LESS, inputs: [0, 5], outputs: [3], options: {} },
    ],
    inputs: [0, 1, 2],
    outputs: [3],
  };
  expect(() => importTflite(tfliteFile([main, condition, body]))).toThrow(
    /WHILE.*a graph that it runs has variables: got \S*most/,
  );
});

/** A graph that is given a value and runs itself. */
const endless: FileGraph = {
  tensors: [floats("a"), { shape: [], type: "bool", data: [1] }, floats("b")],
  operators: [{ code: IF, inputs: [1, 0], outputs: [2], options: { 0: { int: 1 }, 1: { int: 2 } } }],
  inputs: [0],
  outputs: [2],
};

test.each<[string, FileGraph, RegExp]>([
  ["that runs itself", endless, /its graphs run too many others/],
  ["of other inputs", { ...by(ADD, 1), inputs: [] }, /as many inputs: expected 1, got 0/],
  ["with an operator that is missing", by(131, 1), /octette does not have: got RFFT2D/],
])("a graph %s is refused", (_, graph, message) => {
  expect(() => importTflite(tfliteFile(branching(graph, by(ADD, 2))))).toThrow(message);
});
