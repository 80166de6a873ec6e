import { realAttribute } from "../../reference/node";
import { elementwise, testOp } from "../test-op";

testOp("Shrink", {
  oracle: {
    each(node) {
      const [lambd, bias] = [realAttribute(node, "lambd", 0.5), realAttribute(node, "bias", 0)];
      return (x) => (x < -lambd ? x + bias : x > lambd ? x - bias : 0);
    },
  },
  cases: elementwise({}, { attributes: { lambd: 1, bias: 1 } }),
});
