import { realAttribute } from "../../reference/node";
import { elementwise, testOp } from "../test-op";

testOp("ThresholdedRelu", {
  oracle: {
    each(node) {
      const alpha = realAttribute(node, "alpha", 1);
      return (x) => (x > alpha ? x : 0);
    },
  },
  // Codes near the threshold are on one side of it or on the other.
  cases: elementwise({}, { attributes: { alpha: 0.3 } }).map((one) => ({
    ...one,
    forms: ["float" as const],
  })),
});
