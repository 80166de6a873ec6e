import { fed, testOp } from "../test-op";

testOp("BitwiseNot", {
  oracle: { operator: (_, [x]) => ({ ...x!, data: x!.data.map((value) => ~value) }) },
  cases: [
    { inputs: [fed("i32", ["batch", 17])] },
    { inputs: [fed("i8", ["batch", 3])] },
    { inputs: [fed("u8", ["batch", 4])] },
    { inputs: [fed("i32", [4], [-0x80000000, 0x7fffffff, 0, -1])] },
    { inputs: [fed("i8", [4], [-128, 127, 0, -1])] },
  ],
  gradient: "none",
  refuses: [[[[3]], {}, "element type does not fit"]],
});
