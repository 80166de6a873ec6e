import { describe, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
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

describe("LayerNormalization", () => {
  test.each([
    [[3, 17], {}, [17]],
    [[1, 4], { epsilon: 0.1 }, [4]],
    [[2, 3, 33], { axis: -1 }, [33]],
    [[2, 3, 5], { axis: 1 }, [3, 5]],
    [[2, 3, 5], { axis: 0 }, [2, 3, 5]],
    [[2, 3, 5], { axis: -2 }, [15]],
  ])("of [%s] by %j, scale [%s]", (shape, attributes, scale) => {
    const one = { op: "LayerNormalization", attributes, from: [-2, 2] } as const;
    checkGradient({ ...one, inputs: [shape, scale, scale] });
    checkGradient({ ...one, inputs: [shape, scale] });
    for (const wanted of [[0], [1], [2]]) checkGradient({ ...one, inputs: [shape, scale, scale], wanted });
  });
});

describe("Gather", () => {
  const indices = (shape: readonly number[], values: readonly number[]) => tensor("i32", shape, values);
  test.each([
    [[5, 17], indices([4], [3, 0, 3, 4]), {}],
    [[5, 3], indices([2, 3], [1, 1, 1, -1, -5, 2]), { axis: 0 }],
    [[5, 3], indices([3], [99, -99, 5]), { axis: 0 }],
    [[2, 5, 3], indices([2], [4, 1]), { axis: 1 }],
    [[2, 5], indices([3], [4, 4, 0]), { axis: 1 }],
    [[4, 3], indices([], [2]), {}],
    [[4, 3], indices([0], []), {}],
  ])("of [%s]", (shape, at, attributes) =>
    checkGradient({ op: "Gather", attributes, inputs: [shape, at], wanted: [0] }));
});
