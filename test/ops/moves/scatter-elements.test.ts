import { fed, testOp } from "../test-op";
import { putBy } from "./indexing";

const indices = (shape: readonly number[], ...values: number[]) => fed("i32", shape, values);
const few = indices([2, 3], 1, 2, 0, 0, 1, 2);
const twice = indices([1, 3], 1, 1, -1);

testOp("ScatterElements", {
  oracle: { forward: putBy },
  cases: [
    { inputs: [[3, 3], few, [2, 3]], attributes: { axis: 0 } },
    { inputs: [[1, 5], twice, [1, 3]], attributes: { axis: 1, reduction: "add" } },
    { inputs: [[1, 5], twice, [1, 3]], attributes: { axis: 1, reduction: "mul" }, gradient: "none" },
    { inputs: [[1, 5], twice, [1, 3]], attributes: { axis: -1, reduction: "min" }, gradient: "none" },
    { inputs: [[1, 5], twice, [1, 3]], attributes: { axis: 1, reduction: "max" }, gradient: "none" },
    {
      what: "of less than all",
      inputs: [[4, 3, 5], indices([2, 1, 3], 0, 1, 2, -1, 0, 1), [2, 1, 3]],
      attributes: { axis: 1 },
    },
    { what: "outside: the nearest", inputs: [[3, 2], indices([1, 2], 99, -99), [1, 2]] },
    { inputs: [[3, 4], indices([0, 4]), [0, 4]] },
    {
      inputs: [["batch", 4], fed("i32", ["batch", 2], [0, 1, 2, 3, -1, 0, 1, 2, 3, 0]), ["batch", 2]],
      attributes: { axis: 1 },
      gradient: "none",
    },
    {
      inputs: [
        fed("i32", [1, 3], [2 ** 31 - 1, 2, 3]),
        indices([1, 3], 0, 1, 2),
        fed("i32", [1, 3], [-1, 5, -7]),
      ],
      attributes: { axis: 1, reduction: "add" },
    },
    {
      inputs: [fed("u8", [1, 3], [9, 2, 200]), indices([1, 3], 0, 1, 2), fed("u8", [1, 3], [8, 5, 50])],
      attributes: { axis: 1, reduction: "mul" },
    },
    {
      inputs: [fed("i8", [1, 3], [-128, 2, 127]), twice, fed("i8", [1, 3], [-100, 5, -7])],
      attributes: { axis: 1, reduction: "max" },
    },
    {
      inputs: [fed("bool", [1, 3], [1, 0, 0]), indices([1, 3], 0, 1, 2), fed("bool", [1, 3], [1, 1, 0])],
      attributes: { axis: 1, reduction: "max" },
    },
  ],
  onnx: ["ScatterElements", "Scatter"],
  refuses: [
    [[[2, 3], fed("i32", [1, 3]), [2, 3]], {}, "input 2 does not fit: expected f32 [1, 3], got f32 [2, 3]"],
    [[[2, 3], fed("i32", [1, 3]), [1, 3]], { reduction: "mean" }, "reduction is unknown"],
  ],
});
