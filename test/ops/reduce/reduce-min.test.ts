import { testOp } from "../test-op";
import { bytes, constantAxes, floats, integers, reducing } from "./oracle";

testOp("ReduceMin", {
  oracle: reducing((all) => Math.min(...all)),
  cases: [...floats, ...integers, ...bytes, constantAxes],
});
