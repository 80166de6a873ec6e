import { constant, dims, testOp } from "../test-op";

const shape = dims("batch", 3, "h");

testOp("Max", {
  cases: [
    { inputs: [constant([2, 3], [1, 2, 3, 4, 5, 6]), constant([3], [1, 5, 3])] },
    { inputs: [constant([2], [1, 9], "i32"), constant([2], [4, 4], "i32"), constant([2], [7, 0], "i32")] },
  ],
  gradient: "none",
  evaluates: [
    [[shape, dims(0)], {}, ["batch", 3, "h"]],
    [[shape, dims(2)], {}, undefined],
  ],
});
