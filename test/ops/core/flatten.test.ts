import { testOp } from "../test-op";

const image = ["batch", 6, 4, 5];
const symbols = ["batch", 3, "h", "w"];

testOp("Flatten", {
  cases: [
    { inputs: [image] },
    { inputs: [image], attributes: { axis: 1 } },
    { inputs: [[5, 6, 4, 5]], attributes: { axis: 2 } },
    { inputs: [["batch", 4, 5]] },
    { inputs: [[2, 3, 4]], attributes: { axis: 2 } },
    { inputs: [[2, 3, 4]], attributes: { axis: 0 } },
  ],
  infers: [
    [[symbols], { axis: -1 }, "[3*batch*h, w]"],
    [[symbols], { axis: 0 }, "[1, 3*batch*h*w]"],
  ],
  refuses: [[[[2]], { axis: 2 }, "axis outside of its input's dimensions: expected -1 to 0, got 2"]],
});
