import { constant, dims, testOp } from "../test-op";

testOp("Ceil", {
  cases: [{ inputs: [constant([6], [-1.5, -0.5, 0, 0.2, 1.5, 2])] }],
  gradient: "none",
  evaluates: [[[dims("batch", 3, "h")], {}, ["batch", 3, "h"]]],
});
