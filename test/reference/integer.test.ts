// Integer layers by hand: results small enough to follow on paper.

import { describe, expect, test } from "vitest";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { type Activation, type Coded, type CodeType, GraphBuilder, type Range } from "../graph-builder";
import { runReference } from "./index";

type Attributes = NonNullable<Parameters<GraphBuilder["layer"]>[3]>["attributes"];

const u8 = (shape: number[], ...values: number[]) => tensor("u8", shape, values);
const i8 = (shape: number[], ...values: number[]) => tensor("i8", shape, values);
const range = (scale: number, zeroPoint = 0, dtype: CodeType = "u8"): Range => ({ scale, zeroPoint, dtype });

interface Operand {
  readonly codes: Tensor;
  readonly scale: number | readonly number[];
  readonly zeroPoint?: number;
  readonly axis?: number;
}

/** Declares codes as a constant; those of a bias are in units of the sums. */
function declare(builder: GraphBuilder, name: string, { codes, scale, zeroPoint = 0, axis }: Operand): Coded {
  const scales =
    typeof scale === "number" ? tensor("f32", [], [scale]) : tensor("f32", [scale.length], scale);
  const zeroPoints = tensor(codes.dtype, scales.shape, new Array(scales.data.length).fill(zeroPoint));
  if (codes.dtype === "i32") return { codes: builder.constant(`${name}_codes`, codes), scale: "" };
  const coded = {
    codes: builder.constant(`${name}_codes`, codes),
    scale: builder.constant(`${name}_scale`, scales),
    ...(axis === undefined ? {} : { axis }),
  };
  return { ...coded, zeroPoint: builder.constant(`${name}_zero_point`, zeroPoints) };
}

/** The result of one integer layer over constants. */
function layer(
  op: string,
  operands: readonly (Operand | Tensor)[],
  output: Range | undefined,
  attributes: Attributes = {},
  activation?: Activation,
): number[] {
  const builder = new GraphBuilder();
  const inputs = operands.map((operand, i) =>
    "dtype" in operand ? builder.constant(`x${i}`, operand) : declare(builder, `x${i}`, operand),
  );
  const { codes } = builder.layer(op, inputs, "y", {
    attributes: attributes ?? {},
    activation,
    range: output,
  });
  return [...runReference(builder.build(codes), {}).get(codes)!.data];
}

describe("matrix products", () => {
  const x = { codes: u8([1, 2], 12, 8), scale: 0.5, zeroPoint: 10 }; // 1, −1
  const w = { codes: i8([3, 2], 3, 1, 1, 3, 2, 2), scale: [1, 2, 4], axis: 0 };

  test("(12−10)·3 + (8−10)·1 = 4, −4, 0 and one scale a channel", () => {
    // Reals 2, −4, 0 in units of 1 about 100.
    expect(layer("Linear", [x, w], range(1, 100))).toEqual([102, 96, 100]);
  });

  test("ties to even before the zero point, which is odd", () => {
    // 2/4 = 0.5 → 0, −4/4 = −1, and with a bias of 8 units of 2: (0 + 8)·2 / 4 … = 4.
    const bias = { codes: tensor("i32", [3], [0, 0, 8]), scale: [0.5, 1, 2], axis: 0 };
    expect(layer("Linear", [x, w, bias], range(4, 7))).toEqual([7, 6, 11]);
    // 6 · 0.5 / 2 = 1.5 → 2, 2 · 0.5 / 2 = 0.5 → 0.
    const tie = { codes: u8([2, 1], 6, 2), scale: 0.5 };
    expect(layer("Linear", [tie, { codes: i8([1, 1], 1), scale: 1 }], range(2, 3))).toEqual([5, 3]);
  });

  test("saturates at both ends, u8 and i8", () => {
    expect(layer("Linear", [x, w], range(0.01, 100))).toEqual([255, 0, 100]);
    expect(layer("Linear", [x, w], range(0.01, -5, "i8"))).toEqual([127, -128, -5]);
  });

  test("Relu is a lower bound at the zero point, Clip is two bounds", () => {
    expect(layer("Linear", [x, w], range(1, 100), {}, "Relu")).toEqual([102, 100, 100]);
    // layer() clips at 100 scales: 0 … 200 at zero point 100 and scale 0.01.
    expect(layer("Linear", [x, w], range(0.01, 100), {}, "Clip")).toEqual([200, 100, 100]);
  });

  test("weights with zero points: Σ (x − zx)(w − zw)", () => {
    // (2, −2) · (5−3, 1−3) = 8, in units of 0.5.
    const w = { codes: u8([1, 2], 5, 1), scale: 1, zeroPoint: 3 };
    expect(layer("Linear", [x, w], range(0.5, 0))).toEqual([8]);
  });

  test("i8 codes with an asymmetric zero point", () => {
    const x = { codes: i8([1, 2], -128, 127), scale: 1, zeroPoint: -128 };
    expect(layer("Linear", [x, { codes: i8([1, 2], 1, 1), scale: 1 }], range(1, -128, "i8"))).toEqual([127]);
  });

  test("extremes are exact: 255 · −128 · 1000 fits, 2^31 does not", () => {
    const k = 1000;
    const x = { codes: u8([1, k], ...new Array(k).fill(255)), scale: 1 };
    const w = { codes: i8([1, k], ...new Array(k).fill(-128)), scale: 1 };
    expect(layer("Linear", [x, w], undefined)).toEqual([-32_640_000]);
    const bias = { codes: tensor("i32", [1], [-(2 ** 31)]), scale: [1], axis: 0 };
    expect(() => layer("Linear", [x, w, bias], range(1))).toThrow("does not fit int32");
  });

  test("a float result: f32(Σ) · f32(sx·sw) + b, then the bounds", () => {
    const bias = tensor("f32", [3], [0.25, 10, -1]);
    expect(layer("Linear", [x, w, bias], undefined)).toEqual([2.25, 6, -1]);
    expect(layer("Linear", [x, w, bias], undefined, {}, "Relu")).toEqual([2.25, 6, 0]);
  });

  test("dynamic: every row has its own scale and zero point", () => {
    const builder = new GraphBuilder();
    builder.input("x", ["batch", 2]);
    const coded = builder.quantizeDynamically("x");
    const w = declare(builder, "w", { codes: i8([1, 2], 1, 2), scale: [0.5], axis: 0 });
    builder.layer("Linear", [coded, w], "y");
    const feeds = { x: tensor("f32", [2, 2], [255, 51, -510, 0]) };
    const values = runReference(builder.build("y"), feeds);
    expect([...values.get("x_zero_point")!.data]).toEqual([0, 255]);
    expect([...values.get("y")!.data]).toEqual([0.5 * (255 + 102), 0.5 * -510]);
  });
});

describe("convolution", () => {
  const ones = { codes: i8([1, 1, 3, 3], 1, 1, 1, 1, 1, 1, 1, 1, 1), scale: 1 };

  test("padding reads as real zero: a map of zeros stays zero at its border", () => {
    const x = { codes: u8([1, 1, 2, 2], 77, 77, 77, 77), scale: 0.5, zeroPoint: 77 };
    expect(layer("Conv", [x, ones], range(1, 9), { pads: [1, 1, 1, 1] })).toEqual([9, 9, 9, 9]);
  });

  test("uneven padding and strides", () => {
    const x = { codes: u8([1, 1, 3, 3], 1, 2, 3, 4, 5, 6, 7, 8, 9), scale: 1 };
    // Windows start at rows −1 and 1, columns 0 and 2: the right ones reach two columns past the edge.
    const attributes = { pads: [1, 0, 1, 2], strides: [2, 2] };
    expect(layer("Conv", [x, ones], range(1), attributes)).toEqual([21, 9, 39, 15]);
  });

  test("depthwise: one kernel a channel; groups: blocks of channels", () => {
    const x = { codes: u8([1, 4, 1, 1], 1, 2, 3, 4), scale: 1 };
    const depthwise = { codes: i8([4, 1, 1, 1], 1, 10, 20, 30), scale: [1, 1, 1, 2], axis: 0 };
    expect(layer("Conv", [x, depthwise], range(1), { group: 4 })).toEqual([1, 20, 60, 240]);
    const grouped = { codes: i8([2, 2, 1, 1], 1, 10, 2, 20), scale: 1 };
    expect(layer("Conv", [x, grouped], range(1), { group: 2 })).toEqual([21, 86]);
  });

  test("dilation", () => {
    const x = { codes: u8([1, 1, 1, 5], 1, 2, 3, 4, 5), scale: 1 };
    const w = { codes: i8([1, 1, 1, 2], 1, 10), scale: 1 };
    expect(layer("Conv", [x, w], range(1), { dilations: [1, 3] })).toEqual([41, 52]);
  });
});

describe("pooling", () => {
  const x = { codes: u8([1, 1, 2, 3], 10, 11, 12, 13, 14, 15), scale: 1, zeroPoint: 10 };

  test("average: one requantization of the sum, ties to even", () => {
    expect(layer("GlobalAveragePool", [x], range(1))).toEqual([2]); // 15/6 = 2.5
    expect(layer("AveragePool", [x], range(0.5, 1), { kernel_shape: [1, 3] })).toEqual([3, 9]);
    expect(layer("ReduceMean", [x], range(1, 100), { axes: [2, 3], keepdims: 0 })).toEqual([102]);
  });

  test("padding counts when it is told to", () => {
    const attributes = { kernel_shape: [2, 1], pads: [1, 0, 0, 0] };
    expect(layer("AveragePool", [x], range(0.5), attributes)).toEqual([0, 2, 4, 3, 5, 7]);
    expect(layer("AveragePool", [x], range(0.5), { ...attributes, count_include_pad: 1 })).toEqual([
      0, 1, 2, 3, 5, 7,
    ]);
  });

  test("maximum passes codes and takes no part of the padding, below the zero point too", () => {
    const x = { codes: u8([1, 1, 1, 2], 3, 5), scale: 1, zeroPoint: 200 };
    const attributes = { kernel_shape: [1, 2], pads: [0, 1, 0, 1] };
    expect(layer("MaxPool", [x], range(1, 200), attributes)).toEqual([3, 5, 5]);
    expect(() => layer("MaxPool", [x], range(1, 199), attributes)).toThrow("another scale");
  });
});

describe("elementwise and moves", () => {
  const a = { codes: u8([3], 11, 12, 250), scale: 0.5, zeroPoint: 10 }; // 0.5, 1, 120
  const b = { codes: u8([3], 1, 2, 250), scale: 0.25, zeroPoint: 2 }; // −0.25, 0, 62

  test("add: 0.25, 1, 182 by division, half to even, saturated", () => {
    expect(layer("Add", [a, b], range(0.5, 20))).toEqual([20, 22, 255]);
    expect(layer("Add", [a, b], range(1, 20), {}, "Relu")).toEqual([20, 21, 202]);
  });

  test("concat: codes of the result's scale pass, others are requantized", () => {
    expect(layer("Concat", [a, b], range(0.5, 10), { axis: 0 })).toEqual([11, 12, 250, 10, 10, 134]);
  });

  test("tables: leaky and hard sigmoid of the dequantized code", () => {
    const x = { codes: i8([3], -128, 0, 127), scale: 0.1 };
    expect(layer("LeakyRelu", [x], range(0.1, 0, "i8"), { alpha: 0.25 })).toEqual([-32, 0, 127]);
    expect(layer("HardSigmoid", [x], range(1 / 128))).toEqual([0, 64, 128]);
    expect(layer("Relu", [x], range(0.2, 5))).toEqual([5, 5, 69]); // 12.7/0.2 = 63.5 → 64
  });

  test("padding is the code of the pad value; transposing moves codes", () => {
    const x = { codes: u8([1, 2], 1, 2), scale: 0.5, zeroPoint: 7 };
    expect(layer("Pad", [x], range(0.5, 7), { pads: [0, 1, 1, 0] })).toEqual([7, 1, 2, 7, 7, 7]);
    expect(layer("Pad", [x], range(0.5, 7), { pads: [0, 1, 0, 0], value: -2 })).toEqual([3, 1, 2]);
    const map = { codes: u8([2, 3], 1, 2, 3, 4, 5, 6), scale: 1 };
    expect(layer("Transpose", [map], range(1), { perm: [1, 0] })).toEqual([1, 4, 2, 5, 3, 6]);
  });
});
