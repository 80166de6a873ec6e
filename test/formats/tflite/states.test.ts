// What a model keeps from run to run: variables, and the inputs that a filter over time remembers.

import { expect, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
import { loadSync, save } from "../../../src/index";
import { importTflite } from "../../../src/tflite";
import { type FileGraph, type FileOperator, tfliteFile } from "./tflite-file";

const [ADD, SVDF, CALL_ONCE, VAR_HANDLE, READ, ASSIGN] = [0, 27, 129, 142, 143, 144];
const RESOURCE = 13;

const handle = (output: number): FileOperator => ({
  code: VAR_HANDLE,
  inputs: [],
  outputs: [output],
  options: { 0: { text: "" }, 1: { text: "sum" } },
});

/** y = sum += x; the first graph that runs sets the sum to `start`. */
const summing = (start: number): FileGraph[] => [
  {
    tensors: [
      { shape: [1, 2], name: "x", signature: [-1, 2] },
      { shape: [], type: RESOURCE },
      { shape: [1, 2], name: "before" },
      { shape: [1, 2], name: "y" },
    ],
    operators: [
      { code: CALL_ONCE, inputs: [], outputs: [], options: { 0: { int: 1 } } },
      handle(1),
      { code: READ, inputs: [1], outputs: [2], options: {} },
      { code: ADD, inputs: [2, 0], outputs: [3], options: {} },
      { code: ASSIGN, inputs: [1, 3], outputs: [], options: {} },
    ],
    inputs: [0],
    outputs: [3],
  },
  {
    tensors: [
      { shape: [], type: RESOURCE },
      { shape: [1, 2], data: [start, 0] },
    ],
    operators: [handle(0), { code: ASSIGN, inputs: [0, 1], outputs: [], options: {} }],
    inputs: [],
    outputs: [],
    name: "once",
  },
];

test("a variable is kept from run to run, in an artifact too, until it is reset", () => {
  const graph = importTflite(tfliteFile(summing(0)));
  expect(graph.inputs[0]!.shape).toEqual([1, 2]);
  for (const source of [graph, save(graph)]) {
    const model = loadSync(source);
    const x = tensor("f32", [1, 2], [1, 10]);
    const run = () => Array.from(model.runSync({ x }).y!.data);
    expect([run(), run(), run()]).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
    model.reset();
    expect(run()).toEqual([1, 10]);
    model.dispose();
  }
});

test("a variable that starts as other numbers is refused", () => {
  expect(() => importTflite(tfliteFile(summing(1)))).toThrow(
    /CALL_ONCE.*it does more than to set variables to zeros: got ASSIGN_VARIABLE/,
  );
});

test("SVDF remembers as many inputs as its state holds", () => {
  const graph = importTflite(
    tfliteFile({
      tensors: [
        { shape: [1, 1], name: "x" },
        { shape: [2, 1], data: [1, 2] },
        { shape: [2, 3], data: [1, 10, 100, 1, 0, 0] },
        { shape: [1], data: [0.5] },
        { shape: [1, 6], isVariable: true },
        { shape: [1, 1], name: "y" },
      ],
      operators: [
        { code: SVDF, inputs: [0, 1, 2, 3, 4], outputs: [5], options: { 0: { int: 2 }, 1: { byte: 0 } } },
      ],
      inputs: [0],
      outputs: [5],
    }),
  );
  const model = loadSync(graph);
  const answers = [1, 2, 3, 4].map((x) => model.runSync({ x: Float32Array.of(x) }).y!.data[0]);
  // Newest · 100 + the one before · 10 + the one before that · (1 + 2), and the bias.
  expect(answers).toEqual([100.5, 210.5, 323.5, 436.5]);
  model.dispose();
});
