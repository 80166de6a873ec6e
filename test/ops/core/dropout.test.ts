import { testOp } from "../test-op";

testOp("Dropout", {
  cases: [
    { inputs: [["batch", 5]], attributes: { ratio: 0 } },
    { inputs: [["batch", 6, 4, 5]] },
    { inputs: [["batch", 5]], attributes: { ratio: 0.5 }, gradient: "none" },
  ],
});
