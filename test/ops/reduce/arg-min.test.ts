import { testOp } from "../test-op";
import { extremeCases, extremeOracle } from "./arg-oracle";

testOp("ArgMin", {
  oracle: extremeOracle((value, best) => value < best),
  cases: extremeCases,
  gradient: "none",
});
