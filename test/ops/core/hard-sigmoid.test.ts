import { elementwise, testOp } from "../test-op";

testOp("HardSigmoid", {
  cases: elementwise({ attributes: { alpha: 0.3, beta: 0.4 }, from: [-4, 4] }, { from: [-4, 4] }),
});
