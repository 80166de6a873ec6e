import { constant, testOp } from "../test-op";

const normal = (...shape: number[]) => constant(shape);

testOp("RMSNormalization", {
  cases: [
    { inputs: [["batch", 5, 17], [17]], attributes: { axis: -1 } },
    { inputs: [["batch", 4], normal(4)], attributes: { epsilon: 0.1 } },
    { inputs: [["batch", 3, 33], normal(33)] },
    { inputs: [["batch", 3, 5], normal(3, 5)], attributes: { axis: 1 } },
    { inputs: [["batch", 3, 5], normal(15)], attributes: { axis: -2 } },
    { inputs: [[2, 3, 5], normal(2, 3, 5)], attributes: { axis: 0 } },
  ],
  infers: [[[["batch", "tokens", 8], [8]], {}, "[batch, tokens, 8]"]],
  refuses: [
    [
      [["batch", 8], [7]],
      {},
      "scale does not fit: expected one number an element of [8], or what broadcasts to the input, got [7]",
    ],
  ],
});
