import { realAttribute } from "../../reference/node";
import { elementwise, testOp } from "../test-op";

testOp("Celu", {
  oracle: {
    each(node) {
      const alpha = realAttribute(node, "alpha", 1);
      return (x) => (x > 0 ? x : alpha * Math.expm1(x / alpha));
    },
  },
  cases: elementwise({}, { attributes: { alpha: 2 } }, { attributes: { alpha: 0.3 } }),
  refuses: [[[[2, 3]], { alpha: -1 }, "alpha does not fit: expected above 0, got -1"]],
});
