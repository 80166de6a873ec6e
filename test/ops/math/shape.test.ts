import { testOp } from "../test-op";

const image = ["batch", 3, "h", "w"];

testOp("Shape", {
  cases: [
    { inputs: [[2, 3, 4]] },
    { inputs: [[2, 3, 4]], attributes: { start: 1, end: 2 } },
    { inputs: [[2, 3, 4]], attributes: { start: -2 } },
  ],
  gradient: "none",
  infers: [[[image], { start: -2 }, "[2]"]],
});
