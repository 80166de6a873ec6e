// The reference's quantization by hand: half-to-even ties, saturation, NaN, degenerate ranges.

import { describe, expect, test } from "vitest";
import type { Node } from "../../src/graph/graph";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { operators } from "./index";
import { dynamicRange, quantizeTensor, quantizeValue, rne } from "./quantize";

const run = (op: string, inputs: Tensor[], attributes: Node["attributes"] = {}) => {
  const node: Node = { op, name: op, inputs: inputs.map((_, i) => `i${i}`), outputs: ["o"], attributes };
  const result = operators[op]!(node, inputs, {});
  return "dtype" in result ? [result] : result;
};

describe("rounding", () => {
  test("ties go to the even neighbour", () => {
    const ties = [-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 126.5, 127.5];
    expect(ties.map(rne)).toEqual([-4, -2, -2, 0, 0, 2, 2, 4, 126, 128]);
  });

  test("all else to the nearest, NaN to 0, infinities stay", () => {
    expect([0.49999997, -0.49999997, 0.50000006, 8388607.5, NaN].map(rne)).toEqual([0, 0, 1, 8388608, 0]);
    expect([Infinity, -Infinity].map(rne)).toEqual([Infinity, -Infinity]);
  });
});

describe("quantize", () => {
  const x = tensor("f32", [8], [0.25, 0.75, 1.25, -0.25, 1e9, -1e9, NaN, Infinity]);

  test("u8: x / 0.5 + 10, ties to even before the zero point", () => {
    expect([...quantizeTensor(x, "u8", 0.5, 10).data]).toEqual([10, 12, 12, 10, 255, 0, 10, 255]);
  });

  test("i8: an odd zero point does not move the ties", () => {
    expect([...quantizeTensor(x, "i8", 0.5, -3).data]).toEqual([-3, -1, -1, -3, 127, -128, -3, 127]);
  });

  test("divides in f32: the reciprocal would give 3 and 11", () => {
    const [a, b] = [0.031, 0.027].map(Math.fround);
    expect(quantizeValue(Math.fround(3.5 * a!), a!, 0, 0, 255)).toBe(4);
    expect(quantizeValue(Math.fround(10.5 * b!), b!, 0, 0, 255)).toBe(10);
  });

  test("per axis and in blocks", () => {
    const values = tensor("f32", [2, 4], [1, 2, 3, 4, 1, 2, 3, 4]);
    const zeros = tensor("i8", [2], [0, 100]);
    const [perAxis] = run("QuantizeLinear", [values, tensor("f32", [2], [1, 0.1]), zeros], { axis: 0 });
    expect([...perAxis!.data]).toEqual([1, 2, 3, 4, 110, 120, 127, 127]);
    const scales = tensor("f32", [2, 2], [1, 2, 0.5, 4]);
    const [inBlocks] = run("QuantizeLinear", [values, scales], { axis: 1, block_size: 2 });
    expect([...inBlocks!.data]).toEqual([1, 2, 2, 2, 2, 4, 1, 1]);
    const [back] = run("DequantizeLinear", [inBlocks!, scales], { axis: 1, block_size: 2 });
    expect([...back!.data]).toEqual([1, 2, 4, 4, 1, 2, 4, 4]);
  });

  test("i32 bias codes are dequantized along axis 0", () => {
    const scales = tensor("f32", [2], [0.5, 0.25]);
    const [bias] = run("DequantizeLinear", [tensor("i32", [2], [-3, 1_000_000]), scales], { axis: 0 });
    expect([...bias!.data]).toEqual([-1.5, 250_000]);
  });
});

describe("dynamic quantization", () => {
  test("covers zero, whatever the values", () => {
    expect(dynamicRange([51, 255])).toEqual({ scale: 1, zeroPoint: 0 });
    expect(dynamicRange([-255, -51])).toEqual({ scale: 1, zeroPoint: 255 });
    expect(dynamicRange([-85, 170])).toEqual({ scale: 1, zeroPoint: 85 });
  });

  test("a zero point between two codes is rounded half to even", () => {
    expect(dynamicRange([-0.5, 254.5])).toEqual({ scale: 1, zeroPoint: 0 });
    expect(dynamicRange([-1.5, 253.5])).toEqual({ scale: 1, zeroPoint: 2 });
  });

  test("all zero, and nothing at all: scale 1, zero point 0", () => {
    expect(dynamicRange([0, 0])).toEqual({ scale: 1, zeroPoint: 0 });
    expect(dynamicRange([])).toEqual({ scale: 1, zeroPoint: 0 });
  });

  test("each row by itself", () => {
    const x = tensor("f32", [3, 2], [0, 255, -255, 0, 0, 0]);
    const [codes, scale, zeroPoint] = run("DynamicQuantize", [x], { axis: -1 });
    expect([...codes!.data]).toEqual([0, 255, 0, 255, 0, 0]);
    expect([scale!.shape, ...scale!.data]).toEqual([[3, 1], 1, 1, 1]);
    expect([zeroPoint!.dtype, ...zeroPoint!.data]).toEqual(["i32", 0, 255, 0]);
    const [back] = run("DequantizeLinear", [codes!, scale!, zeroPoint!], { axis: -1 });
    expect([...back!.data]).toEqual([...x.data]);
  });
});
