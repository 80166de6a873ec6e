import { testOp } from "../test-op";

testOp("Softmax", {
  cases: [
    { inputs: [["batch", 10]], attributes: { axis: -1 } },
    { inputs: [["batch", 1]] },
    { inputs: [["batch", 3, 33]] },
    { inputs: [["batch", 3, 4, 5]], attributes: { axis: 3 } },
    { inputs: [["batch", 5, 4]], attributes: { axis: 1 }, simplified: true },
    { inputs: [[17]] },
  ],
  refuses: [
    [[[]], {}, "axis outside of its input's dimensions: expected no axis for a scalar, got -1"],
    [[[2, 3]], { axis: 2 }, "axis outside of its input's dimensions: expected -2 to 1, got 2"],
  ],
});
