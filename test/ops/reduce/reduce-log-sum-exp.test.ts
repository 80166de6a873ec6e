import { fed, testOp } from "../test-op";
import { constantAxes, floats, reducing } from "./oracle";

testOp("ReduceLogSumExp", {
  oracle: reducing((all) => Math.log(all.reduce((a, b) => a + Math.exp(b), 0))),
  cases: [...floats, constantAxes],
  refuses: [[[fed("i32", [2, 3])], { axes: [1] }, "element type does not fit: expected f32, got i32"]],
});
