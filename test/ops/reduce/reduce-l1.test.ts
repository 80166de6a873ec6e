import { fed, testOp } from "../test-op";
import { constantAxes, floats, integers, reducing } from "./oracle";

testOp("ReduceL1", {
  oracle: reducing((all) => all.reduce((a, b) => a + Math.abs(b), 0)),
  cases: [...floats, ...integers, constantAxes],
  refuses: [[[fed("u8", [2, 3])], { axes: [1] }, "element type does not fit: expected f32, i32, got u8"]],
});
