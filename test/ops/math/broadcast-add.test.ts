import { testOp } from "../test-op";
import { endsOf, oracleOf, pairsOf } from "./pairs";

testOp("BroadcastAdd", {
  oracle: oracleOf((a, b) => a + b),
  cases: [...pairsOf(["f32"]), ...pairsOf(["i32", "i8", "u8"]), ...endsOf(["f32", "i32", "i8", "u8"])],
});
