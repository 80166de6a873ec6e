import { fed, testOp } from "../test-op";

testOp("Not", {
  cases: [
    { inputs: [fed("bool", ["batch", 17])] },
    { inputs: [fed("bool", [2, 3])] },
    { inputs: [fed("bool", [])] },
  ],
  gradient: "none",
  refuses: [[[[3]], {}, "element type does not fit: expected bool, got f32"]],
});
