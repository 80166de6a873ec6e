import { tensor } from "../../../src/graph/tensor";
import { need, numberAttribute, type Operator, stringAttribute } from "../../reference/node";
import { fed, testOp } from "../test-op";

const operator: Operator = (node, inputs) => {
  const { dtype, shape } = need(node, inputs, 0);
  const k = numberAttribute(node, "k", 0);
  const [rows, cols] = shape as [number, number];
  const ones = Array.from({ length: rows * cols }, (_, i) => Number((i % cols) - Math.floor(i / cols) === k));
  return tensor(stringAttribute(node, "dtype", dtype) as "f32", shape, ones);
};

testOp("EyeLike", {
  oracle: { operator },
  cases: [
    { inputs: [[3, 4]] },
    { inputs: [["batch", 4]], attributes: { k: 1 } },
    { inputs: [fed("i32", [4, 3])], attributes: { dtype: "u8", k: -2 } },
    { inputs: [fed("u8", [2, 2])], attributes: { dtype: "i8" } },
    { inputs: [fed("i8", [2, 5])], attributes: { dtype: "i32", k: 7 } },
    { inputs: [fed("bool", [2, 17])] },
    { inputs: [fed("i32", [2, 2])], attributes: { dtype: "f32" } },
  ],
  gradient: "none",
  refuses: [
    [[[3]], {}, "its input is not a matrix: expected 2 dimensions, got 1"],
    [[[3, 3]], { dtype: "f8" }, "unknown dtype"],
  ],
});
