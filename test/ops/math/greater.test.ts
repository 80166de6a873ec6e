import { dims, testOp } from "../test-op";
import { endsOf, oracleOf, pairsOf } from "./pairs";

const shape = dims("batch", 3, "h");

testOp("Greater", {
  oracle: oracleOf((a, b) => Number(a > b), true),
  cases: [...pairsOf(["f32", "i32", "i8", "u8"]), ...endsOf(["f32", "i32", "i8", "u8"], {}, true)],
  gradient: "none",
  evaluates: [
    [[shape, dims(-1)], {}, [1, 1, 1]],
    [[shape, dims(3)], {}, undefined],
  ],
});
