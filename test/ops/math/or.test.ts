import { testOp } from "../test-op";
import { endsOf, oracleOf, pairsOf } from "./pairs";

testOp("Or", {
  oracle: oracleOf((a, b) => a | b),
  cases: [...pairsOf(["bool"]), ...endsOf(["bool"], {}, true)],
  gradient: "none",
  refuses: [[[[3], [3]], {}, "element type does not fit"]],
});
