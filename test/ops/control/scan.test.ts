import { expect, test } from "vitest";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { importOnnx, loadSync } from "../../../src/index";
import { type FileGraph, type FileModel, onnxFile } from "../../formats/onnx/model-file";
import { type Case, testControl } from "./test-control";

const floats = (shape: readonly number[], values: readonly number[]): Tensor => tensor("f32", shape, values);
const counting = (shape: readonly number[]): Tensor =>
  floats(
    shape,
    Array.from({ length: shape.reduce((n, dim) => n * dim, 1) }, (_, i) => i + 1),
  );

/** s + x, which is the next state; and its square, which is stacked. */
const adding: FileGraph = {
  nodes: [
    { op: "Add", inputs: ["s", "x"], outputs: ["t"] },
    { op: "Mul", inputs: ["t", "t"], outputs: ["square"] },
  ],
  inputs: [{ name: "s" }, { name: "x" }],
  outputs: ["t", "square"],
};
const scanning = (
  attributes: Record<string, readonly number[]> = {},
  more: Partial<FileModel> = {},
): FileModel => ({
  nodes: [
    {
      op: "Scan",
      name: "along",
      inputs: ["s0", "xs"],
      outputs: ["s", "ys"],
      attributes: { num_scan_inputs: 1, body: { graph: adding }, ...attributes },
    },
  ],
  inputs: [
    { name: "s0", shape: ["n"] },
    { name: "xs", shape: ["t", "n"] },
  ],
  outputs: ["s", "ys"],
  ...more,
});

/** Sums along t of x[t, n], from either end, and where those of each step stand. */
function sums(
  t: number,
  n: number,
  isReversed = false,
  isStackedReversed = isReversed,
): readonly [Tensor, Tensor, Tensor] {
  const xs = counting([t, n]);
  const state = Array.from({ length: n }, (_, i) => 100 * i);
  const ys = new Float32Array(t * n);
  for (let step = 0; step < t; step++)
    for (let i = 0; i < n; i++) {
      state[i]! += xs.data[(isReversed ? t - 1 - step : step) * n + i]!;
      ys[(isStackedReversed ? t - 1 - step : step) * n + i] = state[i]! ** 2;
    }
  return [xs, floats([n], state), floats([t, n], Array.from(ys))];
}
const start = (n: number) =>
  floats(
    [n],
    Array.from({ length: n }, (_, i) => 100 * i),
  );
const turned = ({ shape: [t, n], data }: Tensor): Tensor =>
  floats(
    [n!, t!],
    Array.from({ length: n! * t! }, (_, i) => data[(i % t!) * n! + Math.floor(i / t!)]!),
  );

const sizes = [
  [3, 2],
  [1, 3],
  [5, 2],
  [0, 2],
] as const;
testControl(
  "Scan forward",
  scanning(),
  sizes.map(([t, n]): Case => {
    const [xs, s, ys] = sums(t, n);
    return [
      { s0: start(n), xs },
      { s, ys },
    ];
  }),
);
testControl(
  "Scan backward, stacked backward",
  scanning({ scan_input_directions: [1], scan_output_directions: [1] }),
  sizes.map(([t, n]): Case => {
    const [xs, s, ys] = sums(t, n, true);
    return [
      { s0: start(n), xs },
      { s, ys },
    ];
  }),
);
testControl(
  "Scan along the last axis, stacked along it, forward and backward",
  scanning(
    { scan_input_axes: [-1], scan_output_axes: [1], scan_output_directions: [1] },
    {
      inputs: [
        { name: "s0", shape: ["n"] },
        { name: "xs", shape: ["n", "t"] },
      ],
    },
  ),
  sizes.map(([t, n]): Case => {
    const [xs, s, ys] = sums(t, n, false, true);
    return [
      { s0: start(n), xs: turned(xs) },
      { s, ys: turned(ys) },
    ];
  }),
);

testControl(
  "Scan of two sequences, which reads what is around it, without a state",
  {
    nodes: [
      {
        op: "Scan",
        inputs: ["a", "b"],
        outputs: ["y"],
        attributes: {
          num_scan_inputs: 2,
          scan_input_axes: [0, 1],
          body: {
            graph: {
              nodes: [
                { op: "Sub", inputs: ["p", "q"], outputs: ["d"] },
                { op: "Mul", inputs: ["d", "k"], outputs: ["r"] },
              ],
              inputs: [{ name: "p" }, { name: "q" }],
              outputs: ["r"],
            },
          },
        },
      },
    ],
    inputs: [
      { name: "a", shape: ["t", 2] },
      { name: "b", shape: [2, "t"] },
      { name: "k", shape: [2] },
    ],
  },
  [
    [
      { a: counting([3, 2]), b: counting([2, 3]), k: floats([2], [1, 10]) },
      { y: floats([3, 2], [0, -20, 1, -10, 2, 0]) },
    ],
  ],
);

/** Scan-8: x [batch, t, n], each of the batch by itself. */
const batched = (hasLengths: boolean, directions: readonly number[] = [0]): FileModel => ({
  opset: 8,
  nodes: [
    {
      op: "Scan",
      inputs: [hasLengths ? "lengths" : "", "s0", "xs"],
      outputs: ["s", "ys"],
      attributes: { num_scan_inputs: 1, directions, body: { graph: adding } },
    },
  ],
  inputs: [
    ...(hasLengths ? [{ name: "lengths", shape: ["b"], type: 7 }] : []),
    { name: "s0", shape: ["b", 1] },
    { name: "xs", shape: ["b", "t", 1] },
  ],
  outputs: ["s", "ys"],
});
const isRefused = /Scan ".*": it goes along sequences of a batch/;
const overBatch: readonly Case[] = [
  [
    { s0: floats([2, 1], [0, 10]), xs: counting([2, 2, 1]) },
    { s: floats([2, 1], [3, 17]), ys: floats([2, 2, 1], [1, 9, 169, 289]) },
  ],
  [
    { s0: floats([1, 1], [1]), xs: counting([1, 3, 1]) },
    { s: floats([1, 1], [7]), ys: floats([1, 3, 1], [4, 16, 49]) },
  ],
];
testControl("Scan of opset 8, over a batch", batched(false), overBatch, isRefused);
const ofLengths: readonly Case[] = [
  [
    { lengths: tensor("i32", [2], [1, 2]), s0: floats([2, 1], [0, 10]), xs: counting([2, 2, 1]) },
    { s: floats([2, 1], [1, 17]), ys: floats([2, 2, 1], [1, 0, 169, 289]) },
  ],
];
testControl("Scan of opset 8, of lengths", batched(true), ofLengths, isRefused);

test.each([
  [
    "a length beyond the sequences",
    batched(true),
    { lengths: tensor("i32", [1], [3]), s0: floats([1, 1], [1]), xs: counting([1, 2, 1]) },
    /a length is beyond the sequences.*0 to 2.*got 3/s,
  ],
] as const)("%s is refused in the run", (_, file, feeds, message) => {
  expect(() => loadSync(importOnnx(onnxFile(file))).runSync(feeds)).toThrow(
    expect.objectContaining({ code: "graph", message: expect.stringMatching(message) }),
  );
});

test.each([
  ["an axis that there is not", scanning({ scan_input_axes: [2] }), /axis outside/],
  [
    "a sequence of one number",
    scanning(
      {},
      {
        inputs: [
          { name: "s0", shape: ["n"] },
          { name: "xs", shape: [] },
        ],
      },
    ),
    /sequence 0 has no axis/,
  ],
  [
    "more sequences than inputs",
    {
      ...scanning(),
      nodes: [{ ...scanning().nodes[0]!, attributes: { num_scan_inputs: 3, body: { graph: adding } } }],
    },
    /its inputs do not fit/,
  ],
] as const)("%s is refused", (_, file, message) => {
  expect(() => importOnnx(onnxFile(file))).toThrow(
    expect.objectContaining({ code: "graph", message: expect.stringMatching(message) }),
  );
});
