import { describe, test } from "vitest";
import { checkGradient } from "./check-gradient";

describe("MatMul of two computed values", () => {
  test.each([
    [
      [1, 1],
      [1, 1],
    ],
    [
      [3, 4],
      [4, 17],
    ],
    [
      [17, 9],
      [9, 3],
    ],
    [
      [2, 3, 4],
      [4, 5],
    ],
    [
      [2, 3, 4],
      [1, 4, 5],
    ],
    [
      [2, 3, 4],
      [2, 4, 5],
    ],
    [
      [3, 4],
      [2, 4, 5],
    ],
    [
      [2, 3, 4, 5],
      [2, 3, 5, 6],
    ],
    [
      [2, 3, 4, 5],
      [3, 5, 6],
    ],
    [
      [2, 3, 4, 5],
      [2, 1, 5, 6],
    ],
    [
      [2, 1, 4, 5],
      [1, 3, 5, 6],
    ],
    [[4], [4]],
    [[4], [4, 3]],
    [[4], [2, 4, 3]],
    [[3, 4], [4]],
    [[2, 3, 4], [4]],
  ])("[%s] × [%s]", (a, b) => {
    checkGradient({ op: "MatMul", inputs: [a, b] });
    checkGradient({ op: "MatMul", inputs: [a, b], wanted: [0] });
    checkGradient({ op: "MatMul", inputs: [a, b], wanted: [1] });
  });

  test("with a Relu fused behind it", () =>
    checkGradient({
      op: "MatMul",
      inputs: [
        [2, 3, 4],
        [2, 4, 5],
      ],
      activation: "Relu",
    }));
});
