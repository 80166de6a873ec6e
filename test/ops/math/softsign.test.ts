import { elementwise, testOp } from "../test-op";

testOp("Softsign", { oracle: { each: () => (x) => x / (1 + Math.abs(x)) }, cases: elementwise({}) });
