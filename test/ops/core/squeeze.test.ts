import { testOp } from "../test-op";

testOp("Squeeze", {
  cases: [
    { inputs: [["batch", 1, 4, 1]], attributes: { axes: [1] } },
    { inputs: [["batch", 3, 1, 1]], attributes: { axes: [2, 3] } },
    { inputs: [["batch", 3, 1, 6]], attributes: { axes: [2] } },
    { inputs: [[2, 1, 4, 1]] },
  ],
  infers: [
    [[["batch", 1, "n", 1]], { axes: [1, -1] }, "[batch, n]"],
    [[[3, 1, 2, 1]], {}, "[3, 2]"],
    [[["batch", 3]], { axes: [0] }, "[3]"],
  ],
  refuses: [
    [[["batch", 1]], {}, "a size must be known"],
    [[["batch", 3]], { axes: [1] }, "dimension 1 cannot be left out: expected 1, got 3"],
  ],
});
