import { fed, testOp } from "../test-op";
import { constantAxes, farIntegers, floats, integers, reducing } from "./oracle";

testOp("ReduceL2", {
  oracle: reducing((all) => Math.sqrt(all.reduce((a, b) => a + b * b, 0))),
  cases: [...floats, ...integers, ...farIntegers(1000), constantAxes],
  refuses: [[[fed("u8", [2, 3])], { axes: [1] }, "element type does not fit: expected f32, i32, got u8"]],
});
