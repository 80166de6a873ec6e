import { testOp } from "../test-op";

testOp("GlobalMaxPool", {
  cases: [
    { inputs: [["batch", 33, 4, 4]] },
    { inputs: [["batch", 17, 3]] },
    { inputs: [["batch", 3, 4, 5]] },
    { inputs: [[1, 1, 1, 1]] },
  ],
});
