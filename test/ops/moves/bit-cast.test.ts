import { bytesIn, type DType, viewOf } from "../../../src/graph/tensor";
import { need, type Operator, stringAttribute } from "../../reference/node";
import { fed, testOp } from "../test-op";

const operator: Operator = (node, inputs) => {
  const { shape, data } = need(node, inputs, 0);
  const dtype = stringAttribute(node, "to", "") as DType;
  const bytes = bytesIn(data).slice();
  return { dtype, shape, data: viewOf(dtype, bytes.buffer, 0, data.length) };
};

testOp("BitCast", {
  oracle: { operator },
  cases: [
    { inputs: [["batch", 17]], attributes: { to: "i32" } },
    { inputs: [fed("i32", [2, 2], [0x3f800000, 1, -2, 0x40490fdb])], attributes: { to: "f32" } },
    { inputs: [fed("i8", [17])], attributes: { to: "u8" } },
    { inputs: [fed("u8", [3])], attributes: { to: "i8" } },
    { inputs: [fed("bool", [3])], attributes: { to: "u8" } },
    { inputs: [[]], attributes: { to: "f32" } },
  ],
  gradient: "none",
  refuses: [
    [[[3]], { to: "u8" }, "attribute to does not fit: expected a type of 4 bytes that is not bool, got u8"],
  ],
});
