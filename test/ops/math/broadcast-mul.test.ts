import { testOp } from "../test-op";
import { endsOf, oracleOf, pairsOf } from "./pairs";

testOp("BroadcastMul", {
  oracle: oracleOf((a, b, dtype) => (dtype === "i32" ? Math.imul(a, b) : a * b)),
  cases: [...pairsOf(["f32"]), ...pairsOf(["i32", "i8", "u8"]), ...endsOf(["f32", "i32", "i8", "u8"])],
});
