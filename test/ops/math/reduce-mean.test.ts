import { testOp } from "../test-op";

const image = ["batch", 3, 4, 5];

testOp("ReduceMean", {
  cases: [
    { inputs: [["batch", 4]], attributes: { axes: [1] } },
    { inputs: [["batch", 5, 7, 6]], attributes: { axes: [2, 3], keepdims: 0 } },
    { inputs: [image], attributes: { axes: [-1, -2] } },
    { inputs: [image], attributes: { axes: [2] }, forms: [] },
    { inputs: [["batch", 3, 4]], attributes: { axes: [1], keepdims: 0 }, forms: [] },
    { inputs: [["batch", 5]], attributes: { axes: [0], keepdims: 0 }, forms: [] },
    { inputs: [["batch", 4]], forms: [] },
    { inputs: [[17]], forms: [] },
    { inputs: [[2, 3, 4]], attributes: { keepdims: 0 }, forms: [] },
    { inputs: [[3, 5]], attributes: { noop_with_empty_axes: 1 }, forms: [] },
  ],
});
