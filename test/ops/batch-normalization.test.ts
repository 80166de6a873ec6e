import { constant, testOp } from "./test-op";

const numbers = (...values: number[]) => constant([values.length], values);

testOp("BatchNormalization", {
  cases: [
    {
      inputs: [["batch", 2, 3, 4], numbers(1.5, -0.5), numbers(0.1, 0.2), numbers(0.3, -1), numbers(0.5, 2)],
      attributes: { epsilon: 0.1 },
      simplified: true,
    },
  ],
  gradient: "none",
});
