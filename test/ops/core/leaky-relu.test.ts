import { elementwise, testOp } from "../test-op";

testOp("LeakyRelu", {
  cases: elementwise(
    { attributes: { alpha: 0.1 } },
    { attributes: { alpha: 0 } },
    { attributes: { alpha: -0.4 } },
    {},
  ),
});
