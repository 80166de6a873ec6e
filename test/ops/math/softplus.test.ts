import { testOp } from "../test-op";

testOp("Softplus", {
  oracle: { each: () => (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) },
  cases: [
    { inputs: [["batch", 17]] },
    { inputs: [["batch", 5, 3, 4]] },
    { what: "far from 0", inputs: [["batch", 9]], from: [-90, 90] },
    { inputs: [[]] },
  ],
});
