import { constant, dims, testOp } from "../test-op";

testOp("Min", {
  cases: [
    { inputs: [constant([2, 3], [1, 2, 3, 4, 5, 6]), constant([3], [1, 5, 3])] },
    { inputs: [constant([2], [1, 9], "i32"), constant([2], [4, 4], "i32"), constant([2], [7, 0], "i32")] },
  ],
  gradient: "none",
  refuses: [[[], {}, "input 0 is missing"]],
  evaluates: [[[dims("batch", 3, "h"), dims(0x7fffffff)], {}, ["batch", 3, "h"]]],
});
