import { realAttribute } from "../../reference/node";
import { elementwise, testOp } from "../test-op";

testOp("Swish", {
  oracle: {
    each(node) {
      const alpha = realAttribute(node, "alpha", 1);
      return (x) => x / (1 + Math.exp(-alpha * x));
    },
  },
  cases: elementwise({}, { attributes: { alpha: 1.7 } }),
});
