import { describe, test } from "vitest";
import { checkGradient, type Lies } from "./check-gradient";

const LIES: [Lies, Lies][] = [
  ["plain", "plain"],
  ["channelsLast", "channelsLast"],
  ["channelsLast", "plain"],
  ["plain", "channelsLast"],
];

const WINDOWS = [
  [[1, 1, 1, 1], { kernel_shape: [1, 1] }],
  [[2, 3, 4, 4], { kernel_shape: [2, 2], strides: [2, 2] }],
  [[2, 4, 5, 7], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  [[1, 5, 6, 5], { kernel_shape: [3, 2], pads: [2, 1, 0, 1] }],
  [[1, 17, 6, 6], { kernel_shape: [2, 3], dilations: [2, 1], strides: [1, 2] }],
  [[2, 3, 5, 5], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }],
  [[1, 2, 5, 5], { kernel_shape: [3, 3], auto_pad: "SAME_UPPER", strides: [2, 2] }],
  [[1, 2, 6, 6], { kernel_shape: [3, 3], auto_pad: "SAME_LOWER" }],
  [[2, 3, 9], { kernel_shape: [3], strides: [2], pads: [1, 1] }],
] as const;

describe.each(LIES)("x %s, dy %s", (lies, dyLies) => {
  test.each(WINDOWS)("[%s] by %j", (shape, attributes) => {
    checkGradient({ op: "MaxPool", attributes, inputs: [shape], lies, dyLies });
    checkGradient({ op: "AveragePool", attributes, inputs: [shape], lies, dyLies });
    const counting = { ...attributes, count_include_pad: 1 };
    checkGradient({ op: "AveragePool", attributes: counting, inputs: [shape], lies, dyLies });
  });

  test.each([[[1, 1, 1, 1]], [[2, 3, 4, 5]], [[3, 17, 3]]])("all of [%s]", (shape) => {
    checkGradient({ op: "GlobalMaxPool", inputs: [shape], lies, dyLies });
    checkGradient({ op: "GlobalAveragePool", inputs: [shape], lies, dyLies });
  });
});
