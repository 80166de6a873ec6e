import { elementwise, testOp } from "../test-op";

testOp("Mish", {
  oracle: { each: () => (x) => x * Math.tanh(Math.log1p(Math.exp(x))) },
  cases: elementwise({}),
});
