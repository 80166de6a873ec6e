import { type Tensor, tensor } from "../../../src/graph/tensor";
import { testActs } from "./test-acts";

const ints = (...values: number[]): Tensor => tensor("i32", [values.length], values);
const x = tensor("f32", [4, 2], [3, 1, 1, NaN, 3, 1, -2, NaN]);

testActs("Unique", "in their order", { sorted: 0 }, [
  {
    inputs: [x],
    outputs: [
      tensor("f32", [4], [3, 1, NaN, -2]),
      ints(0, 1, 3, 6),
      ints(0, 1, 1, 2, 0, 1, 3, 2),
      ints(2, 3, 2, 1),
    ],
  },
  { inputs: [tensor("f32", [1, 1], [5])], outputs: [tensor("f32", [1], [5]), ints(0), ints(0), ints(1)] },
  { inputs: [tensor("f32", [0, 2], [])], outputs: [tensor("f32", [0], []), ints(), ints(), ints()] },
]);
testActs("Unique", "sorted, of integers", {}, [
  {
    inputs: [ints(2, 1, 1, 3, 4, 3)],
    outputs: [ints(1, 2, 3, 4), ints(1, 0, 3, 4), ints(1, 0, 0, 2, 3, 2), ints(2, 1, 2, 1)],
  },
]);
testActs("Unique", "rows", { axis: 0 }, [
  {
    inputs: [x],
    outputs: [tensor("f32", [3, 2], [-2, NaN, 1, NaN, 3, 1]), ints(3, 1, 0), ints(2, 1, 2, 0), ints(1, 1, 2)],
  },
]);
