import { testOp } from "../test-op";

testOp("Tanh", {
  cases: [
    { inputs: [["batch", 17]] },
    { inputs: [["batch", 5, 3, 4]] },
    { inputs: [[3, 12]] },
    { inputs: [[]] },
  ],
});
