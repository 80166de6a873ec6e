import { constant, fed, testOp } from "../test-op";
import { slicesPicked } from "./indexing";

const indices = (shape: readonly number[], ...values: number[]) => fed("i32", shape, values);

testOp("GatherND", {
  oracle: { forward: slicesPicked },
  cases: [
    { inputs: [[2, 3], indices([3, 2], 0, 0, 1, 2, -1, -3)] },
    { inputs: [[2, 3, 17], indices([2, 2, 1], 1, 0, -1, 1)] },
    { inputs: [[3, 3, 4], indices([3, 1], 1, 0, -1)], attributes: { batch_dims: 1 } },
    { inputs: [[2, 2, 3], indices([2, 2, 2, 1], 0, 1, 2, -1, 1, 1, 0, 2)], attributes: { batch_dims: 2 } },
    { what: "outside: the nearest", inputs: [[3, 2], indices([2, 2], 99, -99, 1, 5)] },
    { inputs: [[3, 2], indices([0, 2])] },
    {
      inputs: [["batch", 4], fed("i32", ["batch", 2, 1], [0, 1, 2, 3, -1, 0, 1, 2, 3, 0])],
      attributes: { batch_dims: 1 },
      gradient: "none",
    },
    { inputs: [fed("i32", [2, 2], [1, 2, 3, 4]), indices([1, 2], 1, 0)] },
    { inputs: [fed("u8", [2, 3]), indices([3, 2], 0, 1, 1, 0, 1, 2)] },
    { inputs: [fed("i8", [2, 3]), constant([2, 1], [1, -2], "i32")] },
    { inputs: [fed("bool", [4]), indices([2, 1], 3, 0)] },
  ],
  infers: [[[["n", 4, 5], fed("i32", ["n", "k", 1])], { batch_dims: 1 }, "[n, k, 5]"]],
  refuses: [
    [[[2, 3], fed("i32", [1, 3])], {}, "its indices do not fit: expected tuples of 1 to 2 numbers"],
    [[[2, 3], fed("i32", [3, 1])], { batch_dims: 1 }, "batch_dims does not fit"],
    [[[2, 3], constant([1, 2], [0, 3], "i32")], {}, "index out of range: expected -3 to 2, got 3"],
  ],
});
