import { fed, testOp } from "../test-op";
import { constantAxes, farIntegers, floats, integers } from "./oracle";

testOp("ReduceMean", {
  cases: [...floats.map((one) => ({ ...one, forms: [] })), ...integers, ...farIntegers(), constantAxes],
  refuses: [[[fed("u8", [2, 3])], { axes: [1] }, "element type does not fit: expected f32, i32, got u8"]],
});
