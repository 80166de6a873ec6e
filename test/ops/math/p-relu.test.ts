import { fed, testOp } from "../test-op";
import { endsOf, oracleOf } from "./pairs";

testOp("PRelu", {
  oracle: oracleOf((x, slope, dtype) => (x < 0 ? (dtype === "i32" ? Math.imul(x, slope) : x * slope) : x)),
  cases: [
    { inputs: [["batch", 17], [17]] },
    {
      inputs: [
        ["batch", 6, 4, 5],
        [6, 1, 1],
      ],
    },
    { inputs: [["batch", 6, 4, 5], []] },
    {
      inputs: [
        ["batch", 6, 4, 5],
        ["batch", 6, 4, 5],
      ],
    },
    {
      inputs: [
        ["batch", 6, 5],
        [6, 1],
      ],
    },
    { inputs: [[], []] },
    { inputs: [[3], [1]] },
    { inputs: [fed("i32", ["batch", 4]), fed("i32", [4])], gradient: "none" },
    { inputs: [fed("i8", ["batch", 4]), fed("i8", [4])], gradient: "none" },
    { inputs: [fed("u8", ["batch", 4]), fed("u8", [4])], gradient: "none" },
    ...endsOf(["f32", "i32", "i8", "u8"]),
  ],
  refuses: [[[[3], [2, 3]], {}, "the slopes do not broadcast to the input"]],
});
