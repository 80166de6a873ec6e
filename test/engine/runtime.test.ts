// Compiled graphs against the scalar reference: integer ones to the byte, in every engine class, for any batch split.

import { describe, test } from "vitest";
import type { Graph } from "../../src/graph/graph";
import {
  convGraph,
  denseGraph,
  expectClose,
  expectSameBytes,
  expectWithinOneCode,
  type Fill,
  opGraph,
  randomFeeds,
} from "../check-model";
import { runReference } from "../reference/index";
import { engineClasses, withModel, withModelInParts } from "./engines";

const BATCH = 5;
const fills: readonly Fill[] = ["random", "min", "max", "extremes"];

/** Same bytes as the reference for a whole batch and for every way of cutting it. */
function expectExact(graph: Graph): void {
  for (const fill of fills) {
    const feeds = randomFeeds(graph, BATCH, 3, fill);
    const expected = runReference(graph, feeds);
    for (const engineClass of engineClasses)
      for (const batch of [1, 2, BATCH])
        withModel(graph, { engineClass, maxima: { batch } }, (model) => {
          const outputs = model.runSync(feeds);
          for (const name of graph.outputs)
            expectSameBytes(
              outputs[name],
              expected.get(name)!,
              `${name}, ${engineClass}, ${fill}, batch ${batch}`,
            );
        });
  }
}

const images = { h: 7, w: 6 };
const integer: Record<string, Graph> = {
  "conv 3×3": convGraph({ cin: 5, cout: 9, k: 3, pad: 1, ...images }),
  "conv 3×3 stride 2, relu": convGraph({
    cin: 16,
    cout: 17,
    k: 3,
    pad: 1,
    stride: 2,
    activation: "Relu",
    ...images,
  }),
  "conv 3×3 dilated, uneven pads": convGraph({
    cin: 3,
    cout: 4,
    k: 3,
    dilation: 2,
    pads: [2, 1, 0, 3],
    ...images,
  }),
  "conv 1×1": convGraph({ cin: 24, cout: 40, k: 1, activation: "Clip", ...images }),
  "conv 1×1 stride 2": convGraph({ cin: 8, cout: 8, k: 1, stride: 2, ...images }),
  "conv in groups": convGraph({ cin: 12, cout: 18, k: 3, pad: 1, groups: 3, ...images }),
  "conv depthwise": convGraph({ cin: 19, cout: 19, k: 3, pad: 1, groups: 19, activation: "Relu", ...images }),
  "conv depthwise 5×5 stride 2": convGraph({
    cin: 32,
    cout: 32,
    k: 5,
    pad: 2,
    stride: 2,
    groups: 32,
    ...images,
  }),
  "conv with channel multiplier": convGraph({ cin: 4, cout: 8, k: 3, pad: 1, groups: 4, ...images }),
  "conv of i8 codes": convGraph({ cin: 5, cout: 9, k: 3, pad: 1, codes: "i8", ...images }),
  "conv without bias, extreme weights": convGraph({
    cin: 64,
    cout: 8,
    k: 3,
    bias: false,
    extreme: true,
    ...images,
  }),
  gemm: denseGraph({ k: 33, n: 17 }),
  "gemm not transposed, relu": denseGraph({ k: 20, n: 9, transB: false, activation: "Relu" }),
  "gemm of i8 codes": denseGraph({ k: 64, n: 10, codes: "i8" }),
  "gemm, float result": denseGraph({ k: 100, n: 10, mode: "static-float" }),
  "gemm, dynamic": denseGraph({ k: 100, n: 10, mode: "dynamic" }),
  "matmul, dynamic": denseGraph({ op: "MatMul", k: 31, n: 3, mode: "dynamic", activation: "Relu" }),
  matmul: denseGraph({ op: "MatMul", k: 500, n: 3, extreme: true }),
  add: opGraph({
    op: "Add",
    shapes: [
      ["batch", 3, 4, 5],
      ["batch", 3, 4, 5],
    ],
  }),
  "add, relu": opGraph({
    op: "Add",
    shapes: [
      ["batch", 17],
      ["batch", 17],
    ],
    activation: "Relu",
  }),
  concat: opGraph({
    op: "Concat",
    shapes: [
      ["batch", 3, 4, 5],
      ["batch", 2, 4, 5],
    ],
    attributes: { axis: 1 },
  }),
  "concat of one range": opGraph({
    op: "Concat",
    shapes: [
      ["batch", 3],
      ["batch", 4],
    ],
    attributes: { axis: 1 },
    sameRange: true,
    keepsRange: true,
  }),
  resize: opGraph({
    op: "Resize",
    shapes: [["batch", 5, 3, 4]],
    attributes: { scales: [1, 1, 2, 3] },
    keepsRange: true,
  }),
  "max pool": opGraph({
    op: "MaxPool",
    shapes: [["batch", 5, 7, 6]],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
    keepsRange: true,
  }),
  "average pool": opGraph({
    op: "AveragePool",
    shapes: [["batch", 5, 7, 6]],
    attributes: { kernel_shape: [2, 3], strides: [2, 2], pads: [1, 1, 0, 1] },
  }),
  "global average pool": opGraph({ op: "GlobalAveragePool", shapes: [["batch", 33, 4, 4]] }),
  flatten: opGraph({
    op: "Flatten",
    shapes: [["batch", 3, 2, 2]],
    attributes: { axis: 1 },
    keepsRange: true,
  }),
  transpose: opGraph({
    op: "Transpose",
    shapes: [["batch", 3, 2, 4]],
    attributes: { perm: [0, 2, 3, 1] },
    keepsRange: true,
  }),
};

describe("integer graphs give the reference's bytes", () => {
  for (const [name, graph] of Object.entries(integer)) test(name, () => expectExact(graph));
});

const tables = ["Relu", "LeakyRelu", "Sigmoid", "Tanh", "Silu", "Gelu", "HardSigmoid", "HardSwish", "Elu"];

describe("tables of activations are within one code of float64", () => {
  for (const op of tables)
    test(op, () => {
      const graph = opGraph({ op, shapes: [["batch", 24]] });
      const feeds = randomFeeds(graph, BATCH);
      const expected = runReference(graph, feeds).get("q_codes")!;
      withModel(graph, { maxima: { batch: BATCH }, taps: ["q_codes"] }, (model) => {
        model.runSync(feeds);
        expectWithinOneCode(model.tapped("q_codes"), expected, op);
      });
    });
});

const shape = ["batch", 5, 7, 6] as const;
const float: Record<string, Graph> = {
  "conv 3×3": convGraph({ cin: 5, cout: 9, k: 3, pad: 1, mode: "float", ...images }),
  "conv 3×3 stride 2, relu": convGraph({
    cin: 16,
    cout: 17,
    k: 3,
    stride: 2,
    activation: "Relu",
    mode: "float",
    ...images,
  }),
  "conv 1×1, clip": convGraph({ cin: 24, cout: 40, k: 1, activation: "Clip", mode: "float", ...images }),
  "conv in groups": convGraph({ cin: 12, cout: 18, k: 3, pad: 1, groups: 3, mode: "float", ...images }),
  "conv depthwise": convGraph({ cin: 19, cout: 19, k: 3, pad: 1, groups: 19, mode: "float", ...images }),
  gemm: denseGraph({ k: 33, n: 17, mode: "float" }),
  "gemm not transposed": denseGraph({ k: 33, n: 17, mode: "float", transB: false }),
  matmul: denseGraph({ op: "MatMul", k: 31, n: 3, mode: "float" }),
};
const floatOps: Record<string, Parameters<typeof opGraph>[0]> = {
  add: { op: "Add", shapes: [shape, shape], activation: "Relu" },
  "sub, broadcast over channels": { op: "Sub", shapes: [shape, [1, 5, 1, 1]] },
  "mul, broadcast over images": { op: "Mul", shapes: [shape, ["batch", 5, 1, 1]] },
  "div, broadcast over rows": { op: "Div", shapes: [shape, [6]] },
  softmax: { op: "Softmax", shapes: [["batch", 10]] },
  "log softmax": { op: "LogSoftmax", shapes: [["batch", 10]] },
  "layer normalization": { op: "LayerNormalization", shapes: [["batch", 5, 17], [17], [17]] },
  "matmul of stacks": {
    op: "MatMul",
    shapes: [
      ["batch", 3, 7, 9],
      ["batch", 3, 9, 5],
    ],
    activation: "Relu",
  },
  "matmul of rows and a computed matrix": {
    op: "MatMul",
    shapes: [
      ["batch", 7, 9],
      [9, 5],
    ],
  },
  "matmul of repeated stacks": {
    op: "MatMul",
    shapes: [
      [2, 1, 7, 9],
      [1, 3, 9, 5],
    ],
  },
  "reduce mean": { op: "ReduceMean", shapes: [shape], attributes: { axes: [2, 3], keepdims: 0 } },
  "arg max": { op: "ArgMax", shapes: [shape], attributes: { axis: 1, keepdims: 0 } },
  "arg max of rows, the last": {
    op: "ArgMax",
    shapes: [["batch", 17]],
    attributes: { axis: -1, select_last_index: 1 },
  },
  resize: { op: "Resize", shapes: [shape], attributes: { scales: [1, 1, 2, 3] } },
  "average pool": {
    op: "AveragePool",
    shapes: [shape],
    attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 },
  },
  "max pool": { op: "MaxPool", shapes: [shape], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
  transpose: { op: "Transpose", shapes: [shape], attributes: { perm: [0, 2, 3, 1] } },
  concat: { op: "Concat", shapes: [shape, shape], attributes: { axis: 1 } },
  ...Object.fromEntries(tables.map((op) => [op, { op, shapes: [shape] }])),
};

const floatGraphs: Record<string, Graph> = {
  ...float,
  ...Object.fromEntries(
    Object.entries(floatOps).map(([name, o]) => [name, opGraph({ ...o, quantized: false })]),
  ),
};

describe("float graphs are close to the reference, and the same for any batch split", () => {
  for (const [name, graph] of Object.entries(floatGraphs))
    test(name, () => {
      const feeds = randomFeeds(graph, BATCH);
      const expected = runReference(graph, feeds).get("y")!;
      const whole = withModel(graph, { maxima: { batch: BATCH } }, (model) => model.runSync(feeds).y!);
      expectClose(whole, expected, name);
      const isCut = graph.inputs.every(({ shape: [first] }) => first === "batch");
      for (const batch of isCut ? [1, 2] : [])
        withModel(graph, { maxima: { batch } }, (model) =>
          expectSameBytes(model.runSync(feeds).y, whole, `batch ${batch}`),
        );
    });
});

describe("steps computed in parts, in any order and with scratch of their own, give the same bytes", () => {
  for (const [style, graphs] of Object.entries({ integer, float: floatGraphs }))
    for (const [name, graph] of Object.entries(graphs))
      test(`${style} ${name}`, async () => {
        const feeds = randomFeeds(graph, BATCH);
        for (const engineClass of engineClasses) {
          const options = { engineClass, maxima: { batch: BATCH } };
          const whole = withModel(graph, options, (model) => model.runSync(feeds));
          const inParts = await withModelInParts(graph, options, (model) => model.runSync(feeds));
          for (const [y, expected] of Object.entries(whole))
            expectSameBytes(inParts[y], expected, engineClass);
        }
      });
});
