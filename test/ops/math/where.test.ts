import { constant, dims, testOp } from "../test-op";

const choice = constant([2], [1, 0], "bool");

testOp("Where", {
  cases: [{ inputs: [choice, constant([3, 2], [1, 2, 3, 4, 5, 6]), constant([], [9])] }],
  gradient: "none",
  infers: [[[["batch", 1], [4], []], {}, "[batch, 4]"]],
  evaluates: [[[dims(1, 0, 1), dims("batch", 3, "h"), dims(7)], {}, ["batch", 7, "h"]]],
});
