import { fed, testOp } from "../test-op";

testOp("WriteState", {
  exported: "refused",
  oracle: {
    operator(_, [x, state]) {
      state!.data.set(x!.data);
      return x!;
    },
  },
  cases: [
    {
      inputs: [
        [3, 17],
        [3, 17],
      ],
    },
    { inputs: [[0], [0]] },
    { inputs: [fed("i8", [5]), fed("i8", [5])] },
    { inputs: [fed("i32", []), fed("i32", [])] },
  ],
  gradient: "none",
  refuses: [[[[3], [4]], {}, "the value does not fit the state"]],
});
