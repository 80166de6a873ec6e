import { dims, fed, testOp } from "../test-op";
import { endsOf, oracleOf, pairsOf } from "./pairs";

const shape = dims("batch", 3, "h");
const oracle = oracleOf((a, b) => Math.max(a, b));

testOp("Max", {
  oracle,
  cases: [
    ...pairsOf(["f32", "i32", "i8", "u8"]),
    ...endsOf(["f32", "i32", "i8", "u8"], {}, true),
    { what: "of one", inputs: [["batch", 5]] },
    { what: "of three", inputs: [["batch", 3, 1], [4], ["batch", 1, 4]] },
    {
      what: "of three images",
      inputs: [
        ["batch", 3, 4, 5],
        ["batch", 3, 4, 5],
        [3, 1, 1],
      ],
    },
    {
      what: "of four",
      gradient: "none",
      inputs: ["i8", "i8", "i8", "i8"].map((dtype) => fed(dtype as "i8", ["batch", 3])),
    },
  ],
  refuses: [
    [[], {}, "input 0 is missing"],
    [[[3], fed("i32", [3])], {}, "element types differ"],
    [[fed("bool", [3]), fed("bool", [3])], {}, "element type does not fit"],
  ],
  evaluates: [
    [[shape, dims(0)], {}, ["batch", 3, "h"]],
    [[shape, dims(2)], {}, ["max(2,batch)", 3, "max(2,h)"]],
  ],
});
