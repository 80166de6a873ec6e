import { describe, test } from "vitest";
import { checkGradient } from "./check-gradient";

describe.each(["Softmax", "LogSoftmax"] as const)("%s", (op) => {
  test.each([[[1]], [[17]], [[3, 4]], [[2, 3, 33]], [[5, 1]]])("of [%s]", (shape) =>
    checkGradient({ op, attributes: { axis: -1 }, inputs: [shape], from: [-3, 3] }));

  test("of an image", () =>
    checkGradient({
      op,
      attributes: { axis: 3 },
      inputs: [[2, 3, 4, 5]],
      lies: "channelsLast",
      dyLies: "channelsLast",
    }));
});

describe("ReduceMean", () => {
  test.each([
    [[17], {}],
    [[3, 5], { axes: [1] }],
    [[3, 5], { axes: [0], keepdims: 0 }],
    [[2, 3, 4, 5], { axes: [2, 3] }],
    [[2, 3, 4, 5], { axes: [-1, -2], keepdims: 0 }],
    [[2, 3, 4], { axes: [1], keepdims: 0 }],
    [[2, 3, 4], { keepdims: 0 }],
    [[3, 5], { noop_with_empty_axes: 1 }],
  ])("[%s] by %j", (shape, attributes) => checkGradient({ op: "ReduceMean", attributes, inputs: [shape] }));
});
