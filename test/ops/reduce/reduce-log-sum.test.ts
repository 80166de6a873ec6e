import { fed, testOp } from "../test-op";
import { constantAxes, floats, reducing } from "./oracle";

testOp("ReduceLogSum", {
  oracle: reducing((all) => Math.log(all.reduce((a, b) => a + b, 0))),
  cases: [...floats.map((one) => ({ ...one, from: [0.5, 2] as const })), constantAxes],
  refuses: [[[fed("i32", [2, 3])], { axes: [1] }, "element type does not fit: expected f32, got i32"]],
});
