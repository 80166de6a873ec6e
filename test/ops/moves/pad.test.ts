// Pad by kernels, against a loop over the elements of its output: every element type, mode and layout, and pads that take
// away.

import { describe, expect, test } from "vitest";
import { type DType, sizeOf, type Tensor, tensor } from "../../../src/graph/tensor";
import { toolkitOps } from "../../../src/ops/toolkit";
import { simplifyImported } from "../../../src/passes/index";
import { expectSameBytes } from "../../check-model";
import { withModel } from "../../engine/engines";
import { GraphBuilder, randomOf } from "../../graph-builder";
import { testOp } from "../test-op";

const image = ["batch", 6, 4, 5];

testOp("Pad", {
  cases: [
    { what: "of the map", inputs: [image], attributes: { pads: [0, 0, 1, 0, 0, 0, 2, 3], value: 0.5 } },
    { what: "of channels", inputs: [image], attributes: { pads: [0, 2, 0, 0, 0, 1, 0, 0] } },
    {
      what: "that takes away",
      inputs: [image],
      attributes: { pads: [0, 0, -1, 1, 0, 0, -1, -2], value: -0.25 },
    },
    {
      what: "by reflection",
      inputs: [image],
      attributes: { pads: [0, 0, 2, 1, 0, 0, 3, 4], mode: "reflect" },
    },
    { what: "with the edge", inputs: [image], attributes: { pads: [0, 1, 6, 0, 0, 2, 0, 7], mode: "edge" } },
    {
      what: "with the other end",
      inputs: [image],
      attributes: { pads: [0, 0, 4, 2, 0, 0, 1, 5], mode: "wrap" },
    },
    { what: "of nothing", inputs: [image], attributes: { pads: [0, 0, 0, 0, 0, 0, 0, 0] } },
    ...["constant", "edge", "reflect", "wrap"].map((mode) => ({
      inputs: [["batch", 3, 4, 5]],
      attributes: { mode, pads: [0, 0, 1, 2, 0, 0, 3, 1] },
    })),
    ...(
      [
        ["constant", [17], [2, 3]],
        ["constant", [17], [-2, 3]],
        ["constant", [3, 5], [0, 1, 2, 0]],
        ["edge", [5], [2, 3]],
        ["edge", [5], [0, 3]],
        ["edge", [3, 5], [1, 2, 3, 0]],
        ["edge", [3, 5], [-1, 2, 1, -2]],
        ["reflect", [5], [2, 4]],
        ["reflect", [5], [4, 0]],
        ["reflect", [3, 5], [1, 2, 2, 1]],
        ["reflect", [4, 5], [-1, 2, 2, 0]],
        ["wrap", [5], [2, 3]],
        ["wrap", [3, 5], [1, 0, 3, 5]],
      ] as const
    ).map(([mode, shape, pads]) => ({ inputs: [shape], attributes: { mode, pads, value: 0.5 } })),
    { inputs: [["batch", 5]], attributes: { pads: [1, 2], axes: [1] } },
    {
      what: "with what is fed",
      inputs: [["batch", 5], "", []],
      attributes: { pads: [0, 2, 0, 1] },
      forms: [],
      gradient: "none",
    },
  ],
  infers: [[[["batch", 3, "h", "w"]], { pads: [1, 2], axes: [2] }, "[batch, 3, 3+h, w]"]],
  refuses: [
    [[[5]], { pads: [-3, -3] }, "more is taken away than there is: got [-1]"],
    [[[5]], { pads: [1] }, "pads does not fit: expected 2 integers, got [1]"],
  ],
});

const dtypes: readonly DType[] = ["f32", "i8", "u8", "i32", "bool"];
const modes = ["constant", "edge", "reflect", "wrap"] as const;

function randomTensor(dtype: DType, shape: readonly number[], seed: number): Tensor {
  const { below, between } = randomOf(seed);
  const value = () =>
    dtype === "f32" ? between(-9, 9) : dtype === "bool" ? below(2) : below(256) - (dtype === "u8" ? 0 : 128);
  return tensor(dtype, shape, Array.from({ length: sizeOf(shape) }, value));
}

/** Where position `i` of a padded axis comes from; undefined for the constant. */
function sourceOf(mode: (typeof modes)[number], i: number, kept: number): number | undefined {
  if (i >= 0 && i < kept) return i;
  if (mode === "constant") return undefined;
  if (mode === "edge") return i < 0 ? 0 : kept - 1;
  if (mode === "wrap") return i < 0 ? i + kept : i - kept;
  return i < 0 ? -i : 2 * (kept - 1) - i;
}

/** ONNX Pad-21 of a tensor of two dimensions, element by element. */
function padded(x: Tensor, pads: readonly number[], mode: (typeof modes)[number], value: number): Tensor {
  const [rows, cols] = x.shape as [number, number];
  const [top, left, bottom, right] = pads as [number, number, number, number];
  // What negative pads take away first.
  const first = [Math.max(0, -top), Math.max(0, -left)] as const;
  const kept = [rows - first[0] - Math.max(0, -bottom), cols - first[1] - Math.max(0, -right)] as const;
  const shape = [rows + top + bottom, cols + left + right] as const;
  const values: number[] = [];
  for (let r = 0; r < shape[0]; r++)
    for (let c = 0; c < shape[1]; c++) {
      const from = [
        sourceOf(mode, r - Math.max(0, top), kept[0]),
        sourceOf(mode, c - Math.max(0, left), kept[1]),
      ] as const;
      const isValue = from[0] === undefined || from[1] === undefined;
      values.push(isValue ? value : x.data[(first[0] + from[0]) * cols + first[1] + from[1]]!);
    }
  return tensor(x.dtype, shape, values);
}

describe.each(dtypes)("%s", (dtype) => {
  test.each(modes)("%s, pads before, after and negative ones", (mode) => {
    const value = { f32: -2.5, i8: -7, u8: 200, i32: -70_000, bool: 1 }[dtype];
    for (const [i, pads] of [
      [0, 1, 0, 2],
      [1, 0, 2, 0],
      [1, 2, 1, 3],
      [-1, 2, 1, -2],
      [0, -1, 0, 0],
    ].entries()) {
      const builder = new GraphBuilder(i);
      builder.node("Pad", [builder.input("x", [3, 5], dtype)], "y", { pads, mode, value });
      const x = randomTensor(dtype, [3, 5], i + 1);
      withModel(builder.build("y"), {}, (model) =>
        expectSameBytes(model.runSync({ x }).y, padded(x, pads, mode, value)),
      );
    }
  });

  test("a value that is computed", () => {
    const builder = new GraphBuilder();
    const inputs = [builder.input("x", [3, 5], dtype), "", builder.input("v", [], dtype)];
    const pads = [1, 2, 0, 3];
    builder.node("Pad", inputs, "y", { pads });
    const x = randomTensor(dtype, [3, 5], 1);
    const v = randomTensor(dtype, [], 2);
    withModel(builder.build("y"), {}, (model) =>
      expectSameBytes(model.runSync({ x, v }).y, padded(x, pads, "constant", v.data[0]!)),
    );
  });
});

test.each([0, 7])("signed bytes padded with %i in front of a product", (value) => {
  const builder = new GraphBuilder(3);
  const x = builder.input("x", [2, 3], "i8");
  const wide = builder.node("Pad", [x], "wide", { pads: [0, 1, 0, 1], value });
  const one = builder.constant("one", tensor("f32", [], [1]));
  const weights = randomTensor("i8", [5, 2], 4);
  const w = builder.constant("w", weights);
  const product = builder.node(
    "MatMul",
    [
      builder.node("DequantizeLinear", [wide, one], "wide_real"),
      builder.node("DequantizeLinear", [w, one], "w_real"),
    ],
    "product",
  );
  const zero = builder.constant("zero", tensor("i32", [], [0]));
  builder.node("QuantizeLinear", [product, one, zero], "y");
  const graph = simplifyImported(builder.build("y"), toolkitOps);
  const codes = randomTensor("i8", [2, 3], 5);
  const rows = padded(codes, [0, 1, 0, 1], "constant", value);
  const sums = Array.from({ length: 4 }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < 5; k++) sum += rows.data[(i >> 1) * 5 + k]! * weights.data[k * 2 + (i & 1)]!;
    return sum;
  });
  withModel(graph, {}, (model) => expect([...model.runSync({ x: codes }).y!.data]).toEqual(sums));
});

describe("negative pads that take away more than there is", () => {
  const model = (mode: string, pads: readonly number[]) => {
    const builder = new GraphBuilder();
    builder.node("Pad", [builder.input("x", [2])], "y", { pads: [...pads], mode });
    return builder.build("y");
  };
  const x = tensor("f32", [2], [1, 2]);

  test("are refused by the run where constants are added", () => {
    withModel(model("constant", [5, -4]), {}, (loaded) =>
      expect(() => loaded.runSync({ x })).toThrow(/"Pad_y": its input lacks elements that its output has/),
    );
  });

  test.each(["edge", "reflect", "wrap"])("are refused where a border is taken from the input: %s", (mode) => {
    const left = /nothing of the input is left to take a border from.*got -2/;
    expect(() => withModel(model(mode, [5, -4]), {}, () => undefined)).toThrow(left);
  });

  test("with an open size are refused by the run", () => {
    const builder = new GraphBuilder();
    const input = builder.input("x", ["n"]);
    const pads = builder.input("pads", [2], "i32");
    builder.node("Pad", [input, pads], "y", { mode: "edge" });
    withModel(simplifyImported(builder.build("y"), toolkitOps), {}, (loaded) => {
      const run = (count: number) =>
        loaded.runSync({
          x: tensor("f32", [count], new Array(count).fill(7)),
          pads: tensor("i32", [2], [3, -3]),
        });
      expect([...run(4).y!.data]).toEqual([7, 7, 7, 7]);
      for (const count of [0, 2, 3]) expect(() => run(count)).toThrow(/left|take|below 0|fit|needs/);
    });
  });
});
