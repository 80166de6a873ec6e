import { testOp } from "../test-op";

testOp("LogSoftmax", {
  cases: [
    { inputs: [["batch", 10]], attributes: { axis: -1 } },
    { inputs: [["batch", 1]] },
    { inputs: [["batch", 3, 33]] },
    { inputs: [["batch", 3, 4, 5]], attributes: { axis: 3 } },
    { inputs: [["batch", 5, 4]], attributes: { axis: 1 }, simplified: true },
    { inputs: [[17]] },
  ],
});
