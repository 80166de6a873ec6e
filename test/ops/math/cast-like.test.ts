import { tensor } from "../../../src/graph/tensor";
import { fed, testOp } from "../test-op";

testOp("CastLike", {
  oracle: {
    operator: (_, [x, like]) =>
      like!.dtype === "f32"
        ? tensor("f32", x!.shape, x!.data)
        : tensor(like!.dtype, x!.shape, Array.from(x!.data, Math.trunc)),
  },
  cases: [
    { inputs: [["batch", 3], []], known: "only" },
    { inputs: [["batch", 17], fed("i32", [1])] },
    { inputs: [fed("u8", ["batch", 3]), [2]] },
    { inputs: [fed("i8", ["batch", 3]), fed("i32", [])] },
  ],
  gradient: "none",
  refuses: [[[[3]], {}, "input 1 is missing"]],
});
