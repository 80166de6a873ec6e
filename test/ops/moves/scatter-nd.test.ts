import { fed, testOp } from "../test-op";
import { slicesPut } from "./indexing";

const indices = (shape: readonly number[], ...values: number[]) => fed("i32", shape, values);
const rows = indices([3, 1], 4, -5, 4);

testOp("ScatterND", {
  oracle: { forward: slicesPut },
  cases: [
    { inputs: [[8], indices([4, 1], 4, 3, 1, 7), [4]] },
    { inputs: [[5, 17], indices([2, 1], 4, -5), [2, 17]] },
    { inputs: [[5, 3], rows, [3, 3]], attributes: { reduction: "add" } },
    { inputs: [[5, 3], rows, [3, 3]], attributes: { reduction: "mul" }, gradient: "none" },
    { inputs: [[5, 3], rows, [3, 3]], attributes: { reduction: "min" }, gradient: "none" },
    { inputs: [[5, 3], rows, [3, 3]], attributes: { reduction: "max" }, gradient: "none" },
    { inputs: [[2, 3, 4], indices([2, 2], 0, 2, 1, -1), [2, 4]] },
    {
      inputs: [[2, 3, 4], indices([2, 2, 1], 0, 2, 1, -1), [2, 2, 4]],
      attributes: { batch_dims: 1 },
      exported: "refused",
    },
    { what: "outside: the nearest", inputs: [[3, 2], indices([2, 2], 99, -99, 0, 1), [2]] },
    { inputs: [[3, 2], indices([0, 1]), [0, 2]] },
    {
      inputs: [["batch", 4], fed("i32", ["batch", 2, 1], [0, 1, 2, 3, -1, 0, 1, 2, 3, 0]), ["batch", 2]],
      attributes: { batch_dims: 1 },
      exported: "refused",
      gradient: "none",
    },
    {
      inputs: [fed("i32", [3], [1, 2, 3]), indices([1, 1], 1), fed("i32", [1], [-9])],
      attributes: { reduction: "add" },
    },
    { inputs: [fed("u8", [3, 2]), indices([1, 1], 1), fed("u8", [1, 2])] },
    { inputs: [fed("i8", [3, 2]), indices([1, 1], 2), fed("i8", [1, 2])], attributes: { reduction: "min" } },
    { inputs: [fed("bool", [3]), indices([1, 1], 2), fed("bool", [1])] },
  ],
  refuses: [
    [[[2, 3], fed("i32", [1, 1]), [3]], {}, "input 2 does not fit: expected f32 [1, 3], got f32 [3]"],
    [[[2, 3], fed("i32", [1, 1]), [1, 3]], { reduction: "mean" }, "reduction is unknown"],
  ],
});
