// Conv and Gemm as float layers whose weights and bias a step computes: gradients of all three operands.

import { describe, test } from "vitest";
import { checkGradient } from "./check-gradient";

describe("Conv", () => {
  test.each<[string, readonly number[], readonly number[], Record<string, number | number[]>]>([
    ["pointwise", [2, 3, 4, 5], [7, 3, 1, 1], {}],
    ["pointwise, stride 2", [2, 5, 5, 5], [4, 5, 1, 1], { strides: [2, 2] }],
    ["3×3, padded", [3, 3, 5, 4], [6, 3, 3, 3], { pads: [1, 1, 1, 1] }],
    ["3×3, stride 2", [2, 4, 7, 6], [5, 4, 3, 3], { pads: [1, 1, 1, 1], strides: [2, 2] }],
    ["5×3, uneven strides and pads", [2, 2, 9, 8], [3, 2, 5, 3], { pads: [2, 0, 1, 1], strides: [3, 1] }],
    ["3×3, dilated", [1, 3, 8, 7], [4, 3, 3, 3], { dilations: [2, 2], pads: [2, 2, 2, 2] }],
    ["two groups", [2, 6, 5, 5], [4, 3, 3, 3], { group: 2, pads: [1, 1, 1, 1] }],
    ["depthwise", [2, 9, 6, 5], [9, 1, 3, 3], { group: 9, pads: [1, 1, 1, 1] }],
    [
      "depthwise 5×5, stride 2",
      [2, 4, 9, 9],
      [4, 1, 5, 5],
      { group: 4, pads: [2, 2, 2, 2], strides: [2, 2] },
    ],
    ["one spatial dimension", [3, 4, 17], [5, 4, 3], { pads: [1, 1] }],
  ])("%s", (_, x, w, attributes) => {
    checkGradient({ op: "Conv", attributes, inputs: [x, w] });
    checkGradient({ op: "Conv", attributes, inputs: [x, w, [w[0]!]], activation: "Relu" });
  });
});

describe("Gemm", () => {
  test.each([
    [1, 1, 1],
    [4, 3, 17],
    [17, 9, 4],
    [3, 16, 10],
  ])("[%i, %i] with %i outputs", (m, k, n) => {
    for (const [attributes, w] of [
      [{ transB: 1 }, [n, k]],
      [{}, [k, n]],
    ] as const) {
      checkGradient({ op: "Gemm", attributes, inputs: [[m, k], w, [n]] });
      checkGradient({ op: "Gemm", attributes, inputs: [[m, k], w], activation: "Clip" });
    }
  });

  test("of a flattened image", () => {
    checkGradient({ op: "Gemm", attributes: { transB: 1 }, inputs: [[3, 24], [5, 24], [5]] });
  });
});
