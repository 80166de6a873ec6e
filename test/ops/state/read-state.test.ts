import { fed, testOp } from "../test-op";

testOp("ReadState", {
  exported: "refused",
  oracle: { operator: (_, [state]) => state! },
  cases: [
    { inputs: [[3, 17]] },
    { inputs: [[0]] },
    { inputs: [fed("i8", [5])] },
    { inputs: [fed("i32", [])] },
  ],
  gradient: "none",
});
