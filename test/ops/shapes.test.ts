// Shapes that ops which rearrange elements infer where dimensions are symbols, and what they say when nothing fits.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import type { Node, ValueType } from "../../src/graph/graph";
import { formatShape, type Shape } from "../../src/graph/symbols";
import { tensor } from "../../src/graph/tensor";
import { registry } from "../../src/ops/index";
import { outputTypes } from "../../src/ops/infer";
import type { Known, Op } from "../../src/ops/op";
import type { Attributes } from "../graph-builder";

type OpName = keyof typeof registry;

const nodeOf = (op: OpName, inputs: number, attributes: Attributes, outputs = 1): Node => ({
  op,
  name: "n",
  inputs: Array.from({ length: inputs }, (_, i) => `x${i}`),
  outputs: Array.from({ length: outputs }, (_, i) => `y${i}`),
  attributes,
});

const infer = (op: OpName, shapes: readonly Shape[], attributes: Attributes = {}, outputs = 1) =>
  outputTypes(
    nodeOf(op, shapes.length, attributes, outputs),
    registry[op],
    (value): ValueType => ({ dtype: "f32", shape: shapes[Number(value.slice(1))]! }),
  )
    .map(({ shape }) => formatShape(shape))
    .join(" ");

describe("dimensions over symbols", () => {
  const image: Shape = ["batch", 3, "h", "w"];
  const cases: [OpName, readonly Shape[], Attributes, string, number?][] = [
    ["Reshape", [image], { shape: [0, -1] }, "[batch, 3*h*w]"],
    ["Reshape", [["batch", 6, 4]], { shape: [-1, 8] }, "[3*batch, 8]"],
    ["Reshape", [["batch", 6]], { shape: ["batch", 2, 3] }, "[batch, 2, 3]"],
    ["Flatten", [image], { axis: -1 }, "[3*batch*h, w]"],
    ["Flatten", [image], { axis: 0 }, "[1, 3*batch*h*w]"],
    ["Squeeze", [["batch", 1, "n", 1]], { axes: [1, -1] }, "[batch, n]"],
    ["Squeeze", [[3, 1, 2, 1]], {}, "[3, 2]"],
    ["MaxPool", [[1, 1, 8]], { kernel_shape: [1], strides: [2], auto_pad: "SAME_UPPER" }, "[1, 1, 4]"],
    ["Unsqueeze", [["batch", 4]], { axes: [-1, 0] }, "[1, batch, 4, 1]"],
    [
      "Concat",
      [
        ["batch", "past", 4],
        ["batch", "seq", 4],
      ],
      { axis: 1 },
      "[batch, past+seq, 4]",
    ],
    ["Slice", [["batch", 9]], { starts: [0], ends: [0x7fffffff], axes: [0] }, "[batch, 9]"],
    ["Slice", [["batch", 9]], { starts: [1], ends: [-1], axes: [0] }, "[-2+batch, 9]"],
    ["Slice", [["seq", 9]], { starts: [-1], ends: [0x7fffffff], axes: [0] }, "[1, 9]"],
    ["Slice", [["past+seq", 9]], { starts: [0], ends: ["seq"], axes: [0] }, "[seq, 9]"],
    ["Slice", [["past+seq", 9]], { starts: ["past"], ends: ["past+seq"], axes: [0] }, "[seq, 9]"],
    ["Split", [["batch", "4*n"]], { axis: 1 }, "[batch, 2*n] [batch, 2*n]", 2],
    ["Split", [["batch", 5]], { axis: 1, num_outputs: 3 }, "[batch, 2] [batch, 2] [batch, 1]", 3],
    ["Pad", [image], { pads: [1, 2], axes: [2] }, "[batch, 3, 3+h, w]"],
    ["Expand", [["batch", 1]], { shape: [3, 1, 4] }, "[3, batch, 4]"],
    ["Shape", [image], { start: -2 }, "[2]"],
    [
      "Gather",
      [
        ["batch", 5, 4],
        [2, "n"],
      ],
      { axis: 1 },
      "[batch, 2, n, 4]",
    ],
    ["ReduceProd", [image], { axes: [-1, 1], keepdims: 0 }, "[batch, h]"],
    ["Where", [["batch", 1], [4], []], {}, "[batch, 4]"],
    ["ConstantOfShape", [], { shape: ["batch", 2] }, "[batch, 2]"],
  ];
  for (const [op, shapes, attributes, expected, outputs] of cases)
    test(`${op} ${shapes.map(formatShape).join(" ")} ${JSON.stringify(attributes)} is ${expected}`, () =>
      expect(infer(op, shapes, attributes, outputs)).toBe(expected));
});

describe("what does not fit", () => {
  const cases: [OpName, readonly Shape[], Attributes, string][] = [
    [
      "Reshape",
      [["batch", 6]],
      { shape: [-1, 4] },
      'Reshape "n": the number of elements changes: expected 6*batch elements as in [batch, 6], got [-1, 4]',
    ],
    ["Reshape", [[6]], { shape: [2, 4] }, "expected 6 elements as in [6], got [2, 4]"],
    ["Reshape", [[6]], { shape: [-1, -1] }, "expected at most one −1"],
    ["Reshape", [[6]], { shape: [6, 0] }, "expected 0 only at the first 1 places"],
    ["Reshape", [[6], [1]], {}, "shape is missing"],
    ["Reshape", [[6]], { shape: [-2, -3] }, "a dimension is negative: expected dimensions ≥ 0, got [-2, -3]"],
    ["Expand", [[1]], { shape: [-5] }, "a dimension is negative: expected dimensions ≥ 0, got [-5]"],
    ["ConstantOfShape", [], { shape: ["batch", -1] }, "a dimension is negative"],
    [
      "MaxPool",
      [[1, 1, 8]],
      { kernel_shape: [1], strides: [4], auto_pad: "SAME_UPPER" },
      "auto_pad SAME_UPPER would be below 0. Export explicit pads",
    ],
    ["Squeeze", [["batch", 1]], {}, "which dimensions are 1 depends on a symbol"],
    ["Squeeze", [["batch", 3]], { axes: [1] }, "dimension 1 cannot be left out: expected 1, got 3"],
    [
      "Concat",
      [
        [2, 3],
        [2, 4],
      ],
      { axis: 0 },
      "shapes do not fit: expected [n, 3], got [2, 4]",
    ],
    ["Concat", [], { axis: 0 }, "input 0 is missing"],
    ["Min", [], {}, "input 0 is missing"],
    ["Flatten", [[2]], { axis: 2 }, "axis outside of its input's dimensions: expected -1 to 0, got 2"],
    ["Slice", [["batch"]], { starts: [0], ends: [10] }, "got [0:10:1] of batch. Fix the symbol"],
    ["Slice", [[4]], { starts: [0], ends: [4], steps: [0] }, "a step is an integer that is not 0"],
    ["Slice", [[4]], { starts: [0], ends: [4, 4] }, "its lists differ in length"],
    ["Split", [[5]], { split: [2, 2] }, "the parts do not make up the whole"],
    ["Pad", [[5]], { pads: [-3, -3] }, "more is taken away than there is: got [-1]"],
    ["Pad", [[5]], { pads: [1] }, "pads does not fit: expected 2 integers, got [1]"],
    [
      "Cast",
      [[5]],
      { to: "f64" },
      "attribute to does not fit: expected f32, i8, u8, i32, bool, i4, u4, i16, u16, u32, u64, got f64",
    ],
  ];
  for (const [op, shapes, attributes, message] of cases)
    test(`${op} ${shapes.map(formatShape).join(" ")} ${JSON.stringify(attributes)}`, () => {
      const attempt = () => infer(op, shapes, attributes, op === "Split" ? 2 : 1);
      expect(attempt).toThrow(OctetteError);
      expect(attempt).toThrow(message);
    });
});

test("a factor of Resize costs nothing, however large", () => {
  const asymmetric = { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
  expect(infer("Resize", [[1, 5]], { scales: [1, 2 ** 30], ...asymmetric })).toBe(`[1, ${5 * 2 ** 30}]`);
});

describe("known dimensions", () => {
  const dims = (...data: (number | string)[]): Known => ({ dtype: "i32", shape: [data.length], data });
  const evaluate = (op: OpName, inputs: readonly Known[], attributes: Attributes = {}) => {
    const { evaluate: of } = registry[op] as Op;
    const [result] = of!(nodeOf(op, inputs.length, attributes), inputs, inputs as readonly ValueType[]) ?? [];
    return result && Array.from(result.data);
  };
  const shape = dims("batch", 3, "h");
  const cases: [OpName, readonly Known[], Attributes, unknown][] = [
    ["Gather", [shape, dims(0, -1)], {}, ["batch", "h"]],
    ["Slice", [shape], { starts: [-2], ends: [9] }, [3, "h"]],
    ["Concat", [shape, dims(-1)], { axis: 0 }, ["batch", 3, "h", -1]],
    ["Cast", [shape], { to: "i32" }, ["batch", 3, "h"]],
    ["Cast", [shape], { to: "f32" }, undefined],
    ["Equal", [shape, dims(-1)], {}, [0, 0, 0]],
    ["Equal", [shape, dims(3)], {}, undefined],
    ["Where", [dims(1, 0, 1), shape, dims(7)], {}, ["batch", 7, "h"]],
    ["ReduceProd", [shape], { keepdims: 0 }, ["3*batch*h"]],
    ["Max", [shape, dims(0)], {}, ["batch", 3, "h"]],
    ["Max", [shape, dims(2)], {}, undefined],
    ["Min", [shape, dims(0x7fffffff)], {}, ["batch", 3, "h"]],
    ["Mod", [dims("6*n", -7), dims(3)], {}, [0, 2]],
    ["Mod", [dims(-7), dims(3)], { fmod: 1 }, [-1]],
    ["Floor", [shape], {}, ["batch", 3, "h"]],
    ["Range", [dims(0), dims("h"), dims(1)], {}, undefined],
    ["Range", [dims(9), dims(2), dims(-3)], {}, [9, 6, 3]],
    ["Cast", [tensor("f32", [3], [2.9, -2.9, -0.5])], { to: "i32" }, [2, -2, 0]],
    ["Cast", [tensor("f32", [1], [3e9])], { to: "i32" }, undefined],
    ["Cast", [tensor("f32", [1], [Number.NaN])], { to: "i32" }, undefined],
    ["Not", [tensor("bool", [2], [0, 1])], {}, [1, 0]],
  ];
  for (const [op, inputs, attributes, expected] of cases)
    test(`${op} of ${inputs.map(({ data }) => `(${Array.from(data)})`).join(" ")} ${JSON.stringify(attributes)}`, () =>
      expect(evaluate(op, inputs, attributes)).toEqual(expected));

  test("a range that nothing needs is not made", () =>
    expect(evaluate("Range", [dims(0), dims(2 ** 30), dims(1)])).toBeUndefined());
});
