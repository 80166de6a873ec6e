import { testOp } from "../test-op";

testOp("Unsqueeze", {
  cases: [
    { inputs: [["batch", 6, 4, 5]], attributes: { axes: [2] } },
    { inputs: [["batch", 3, 4]], attributes: { axes: [1] } },
    { inputs: [[3, 5]], attributes: { axes: [0, -1] } },
  ],
  infers: [[[["batch", 4]], { axes: [-1, 0] }, "[1, batch, 4, 1]"]],
});
