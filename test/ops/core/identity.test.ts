import { testOp } from "../test-op";

testOp("Identity", {
  cases: [{ inputs: [["batch", 5]] }, { inputs: [["batch", 6, 4, 5]] }, { inputs: [[]] }],
});
