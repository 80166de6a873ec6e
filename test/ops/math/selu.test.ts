import { realAttribute } from "../../reference/node";
import { elementwise, testOp } from "../test-op";

testOp("Selu", {
  oracle: {
    each(node) {
      const [alpha, gamma] = [
        realAttribute(node, "alpha", 1.6732632423543772),
        realAttribute(node, "gamma", 1.0507009873554805),
      ];
      return (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x));
    },
  },
  cases: elementwise({}, { attributes: { alpha: 1.5, gamma: 2 } }),
});
