import { dims, fed, testOp } from "../test-op";
import { constantAxes, floats, integers, reducing } from "./oracle";

testOp("ReduceSum", {
  oracle: reducing((all) => all.reduce((a, b) => a + b, 0)),
  cases: [...floats, ...integers, constantAxes],
  refuses: [[[fed("u8", [2, 3])], { axes: [1] }, "element type does not fit: expected f32, i32, got u8"]],
  evaluates: [
    [[dims("batch", 3, "h")], { keepdims: 0 }, ["3+batch+h"]],
    [[dims()], {}, [0]],
  ],
});
