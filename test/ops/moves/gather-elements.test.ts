import { constant, fed, testOp } from "../test-op";
import { pickedBy } from "./indexing";

const indices = (shape: readonly number[], ...values: number[]) => fed("i32", shape, values);

testOp("GatherElements", {
  oracle: { forward: pickedBy },
  cases: [
    { inputs: [[3, 3], indices([2, 3], 1, 2, 0, 2, 0, 0)], attributes: { axis: 0 } },
    { inputs: [[2, 4], indices([2, 3], 1, -1, 0, 2, 0, -4)], attributes: { axis: -1 } },
    {
      what: "of less than all",
      inputs: [[4, 3, 5], indices([2, 4, 3], ...Array.from({ length: 24 }, (_, i) => (i % 3) - 1))],
      attributes: { axis: 1 },
    },
    { what: "outside: the nearest", inputs: [[3, 2], indices([1, 2], 99, -99)] },
    { inputs: [[3, 17], indices([0, 17])] },
    {
      inputs: [["batch", 4], fed("i32", ["batch", 3], [0, 1, 2, 3, -1, 0, 1, 1, 1, 2, 0, 3, 3, 2, 1])],
      attributes: { axis: 1 },
      gradient: "none",
    },
    { inputs: [fed("i32", [2, 2], [1, 2, 3, 4]), indices([2, 2], 0, 0, 1, 0)], attributes: { axis: 1 } },
    {
      inputs: [fed("u8", [1, 4]), indices([1, 17], ...Array.from({ length: 17 }, (_, i) => i % 4))],
      attributes: { axis: 1 },
    },
    { inputs: [fed("i8", [3, 1]), constant([2, 1], [2, -3], "i32")] },
    { inputs: [fed("bool", [2, 2]), indices([2, 2], 0, 1, 1, 0)] },
  ],
  infers: [[[["n", 4], fed("i32", ["n", "k"])], { axis: 1 }, "[n, k]"]],
  refuses: [
    [[[2, 3], fed("i32", [3, 3])], { axis: 1 }, "its indices do not fit: expected a shape within [2, 3]"],
    [[[2, 3], fed("f32", [2, 3])], { axis: 1 }, "its indices do not fit: expected i32, got f32"],
    [[[2, 3], constant([1, 3], [0, 2, 0], "i32")], {}, "index out of range: expected -2 to 1, got 2"],
  ],
});
