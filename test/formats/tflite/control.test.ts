// Graphs of a file that others run: branches and loops.

import { expect, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
import { loadSync, save } from "../../../src/index";
import { importTflite } from "../../../src/tflite";
import { type FileGraph, type FileTensor, tfliteFile } from "./tflite-file";

const [ADD, MUL, LESS, RELU, IF, WHILE] = [0, 18, 58, 19, 118, 119];
const [VAR_HANDLE, READ, ASSIGN] = [142, 143, 144];

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

const RESOURCE = 13;
const handle = (output: number, text: string) => ({
  code: VAR_HANDLE,
  inputs: [],
  outputs: [output],
  options: { 0: { text: "" }, 1: { text } },
});

/** A graph that adds its input to the variable `sum`, or multiplies it. */
const summing = (code: number): FileGraph => ({
  tensors: [
    { name: "a", shape: [1, 2] },
    { shape: [], type: RESOURCE },
    { name: "before", shape: [1, 2] },
    { name: "after", shape: [1, 2] },
  ],
  operators: [
    handle(1, "sum"),
    { code: READ, inputs: [1], outputs: [2], options: {} },
    { code, inputs: [2, 0], outputs: [3], options: {} },
    { code: ASSIGN, inputs: [1, 3], outputs: [], options: {} },
  ],
  inputs: [0],
  outputs: [3],
});

test("a variable that the graphs of an IF assign is kept from run to run", () => {
  const main: FileGraph = {
    tensors: [
      { name: "c", shape: [], type: "bool" },
      { name: "x", shape: [1, 2] },
      { name: "y", shape: [1, 2] },
      { shape: [], type: RESOURCE },
      { name: "kept", shape: [1, 2] },
    ],
    operators: [
      { code: IF, inputs: [0, 1], outputs: [2], options: { 0: { int: 1 }, 1: { int: 2 } } },
      handle(3, "sum"),
      { code: READ, inputs: [3], outputs: [4], options: {} },
    ],
    inputs: [0, 1],
    outputs: [2, 4],
  };
  const graph = importTflite(tfliteFile([main, summing(ADD), summing(MUL)]));
  for (const source of [graph, save(graph)]) {
    const model = loadSync(source);
    const run = (holds: number, ...x: number[]) => {
      const { y, kept } = model.runSync({ c: flag(holds), x: tensor("f32", [1, 2], x) });
      expect(kept!.data).toEqual(y!.data);
      return Array.from(y!.data);
    };
    expect([run(1, 1, 2), run(1, 10, 20), run(0, 2, 3), run(1, 1, 1)]).toEqual([
      [1, 2],
      [11, 22],
      [22, 66],
      [23, 67],
    ]);
    model.reset();
    expect(run(1, 5, 5)).toEqual([5, 5]);
    model.dispose();
  }
});

/** While sum < most: sum += step, where sum is a variable that the loop is given; `assigns`: its condition assigns it, too. */
const counting = (assigns: boolean): FileGraph[] => [
  {
    tensors: [
      { name: "most", shape: [] },
      { shape: [], type: RESOURCE },
      { name: "step", shape: [] },
      { shape: [], type: RESOURCE },
      { name: "again", shape: [] },
      { name: "most_again", shape: [] },
      { name: "sum", shape: [] },
    ],
    operators: [
      handle(1, "sum"),
      {
        code: WHILE,
        inputs: [0, 1, 2],
        outputs: [5, 3, 4],
        options: { 0: { int: 1 }, 1: { int: 2 } },
      },
      { code: READ, inputs: [3], outputs: [6], options: {} },
    ],
    inputs: [0, 2],
    outputs: [6],
  },
  {
    tensors: [
      { name: "most", shape: [] },
      { shape: [], type: RESOURCE },
      { name: "step", shape: [] },
      { name: "holds", shape: [], type: "bool" },
      { name: "sum", shape: [] },
    ],
    operators: [
      { code: READ, inputs: [1], outputs: [4], options: {} },
      ...(assigns ? [{ code: ASSIGN, inputs: [1, 2], outputs: [], options: {} }] : []),
      { code: LESS, inputs: [4, 0], outputs: [3], options: {} },
    ],
    inputs: [0, 1, 2],
    outputs: [3],
  },
  {
    tensors: [
      { name: "most", shape: [] },
      { shape: [], type: RESOURCE },
      { name: "step", shape: [] },
      { name: "sum", shape: [] },
      { name: "next", shape: [] },
    ],
    operators: [
      { code: READ, inputs: [1], outputs: [3], options: {} },
      { code: ADD, inputs: [3, 2], outputs: [4], options: {} },
      { code: ASSIGN, inputs: [1, 4], outputs: [], options: {} },
    ],
    inputs: [0, 1, 2],
    outputs: [0, 1, 2],
  },
];

test("a variable that a WHILE is given, whose condition reads it and whose graph assigns it, is kept from run to run", () => {
  const model = loadSync(importTflite(tfliteFile(counting(false))));
  const run = (most: number, step: number) =>
    model.runSync({ most: tensor("f32", [], [most]), step: tensor("f32", [], [step]) }).sum!.data[0];
  expect([run(3, 2), run(3, 2), run(10, 2.5), run(11, 100)]).toEqual([4, 4, 11.5, 11.5]);
  model.dispose();
});

test("WHILE whose condition assigns a variable is refused", () => {
  expect(() => importTflite(tfliteFile(counting(true)))).toThrow(/WHILE.*its condition assigns a variable/);
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
