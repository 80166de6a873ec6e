import { dims, testOp } from "../test-op";
import { endsOf, oracleOf, pairsOf } from "./pairs";

const shape = dims("batch", 3, "h");

testOp("Equal", {
  oracle: oracleOf((a, b) => Number(a === b), true),
  cases: [
    ...pairsOf(["f32", "i32", "i8", "u8", "bool"]),
    ...endsOf(["f32", "i32", "i8", "u8", "bool"], {}, true),
  ],
  gradient: "none",
  evaluates: [
    [[shape, dims(-1)], {}, [0, 0, 0]],
    [[shape, dims(3)], {}, undefined],
  ],
});
