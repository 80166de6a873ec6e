import { constant, dims, testOp } from "../test-op";

const numbers = constant([2, 3], [1, 2, 3, 4, 5, 6]);

testOp("ReduceProd", {
  cases: [
    { inputs: [numbers] },
    { inputs: [numbers], attributes: { axes: [1], keepdims: 0 } },
    { inputs: [numbers], attributes: { noop_with_empty_axes: 1 } },
  ],
  gradient: "none",
  infers: [[[["batch", 3, "h", "w"]], { axes: [-1, 1], keepdims: 0 }, "[batch, h]"]],
  evaluates: [[[dims("batch", 3, "h")], { keepdims: 0 }, ["3*batch*h"]]],
});
