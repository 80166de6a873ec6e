import { testOp } from "../test-op";
import { endsOf, oracleOf, pairsOf } from "./pairs";

testOp("BroadcastDiv", {
  oracle: oracleOf((a, b, dtype) => (dtype === "f32" ? a / b : b === 0 ? 0 : Math.trunc(a / b))),
  cases: [
    ...pairsOf(["f32"]),
    ...pairsOf(["i32", "i8", "u8"], { known: "refused" }),
    ...endsOf(["f32", "i32", "i8", "u8"]),
  ],
});
