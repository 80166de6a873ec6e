import { constant, dims, testOp } from "../test-op";

const shape = dims("batch", 3, "h");

testOp("Equal", {
  cases: [
    { inputs: [constant([2, 3], [1, 2, 3, 4, 5, 6]), constant([3], [1, 5, 3])] },
    { inputs: [constant([2], [1, 2], "i32"), constant([], [2], "i32")] },
  ],
  gradient: "none",
  evaluates: [
    [[shape, dims(-1)], {}, [0, 0, 0]],
    [[shape, dims(3)], {}, undefined],
  ],
});
