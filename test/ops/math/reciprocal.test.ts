import { elementwise, testOp } from "../test-op";

testOp("Reciprocal", { oracle: { each: () => (x) => 1 / x }, cases: elementwise({ from: [0.5, 3] }) });
