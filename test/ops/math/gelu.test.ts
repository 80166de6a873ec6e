import { elementwise, testOp } from "../test-op";

testOp("Gelu", {
  cases: elementwise({ from: [-2, 4] }, { attributes: { approximate: "tanh" }, from: [-2, 4] }),
  refuses: [[[[2, 3]], { approximate: "sigmoid" }, "approximate is unknown"]],
});
