import { testOp } from "../test-op";
import { bytes, constantAxes, floats, integers, reducing } from "./oracle";

testOp("ReduceMax", {
  oracle: reducing((all) => Math.max(...all)),
  cases: [...floats, ...integers, ...bytes, constantAxes],
});
