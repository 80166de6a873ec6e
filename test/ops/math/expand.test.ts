import { testOp } from "../test-op";

testOp("Expand", {
  cases: [
    { inputs: [["batch", 1, 5]], attributes: { shape: [1, 4, 1] } },
    { inputs: [["batch", 1]], attributes: { shape: [3, 1, 4] } },
    { inputs: [[]], attributes: { shape: [3] } },
    { inputs: [[1]], attributes: { shape: [17] } },
    { inputs: [[5]], attributes: { shape: [3, 5] } },
    { inputs: [[1, 3, 1, 4]], attributes: { shape: [2, 3, 5, 4] } },
    { inputs: [[2, 3, 4, 6]], attributes: { shape: [2, 2, 3, 4, 6] } },
    { what: "to what it is", inputs: [[3, 5]], attributes: { shape: [3, 1] } },
  ],
  infers: [[[["batch", 1]], { shape: [3, 1, 4] }, "[3, batch, 4]"]],
  refuses: [[[[1]], { shape: [-5] }, "a dimension is negative: expected dimensions ≥ 0, got [-5]"]],
});
