import { testOp } from "../test-op";
import { endsOf, oracleOf, pairsOf } from "./pairs";

testOp("BitwiseXor", {
  oracle: oracleOf((a, b) => a ^ b),
  cases: [...pairsOf(["i32", "i8", "u8"]), ...endsOf(["i32", "i8", "u8"], {}, true)],
  gradient: "none",
  refuses: [[[[3], [3]], {}, "element type does not fit"]],
});
