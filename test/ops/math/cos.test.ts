import { elementwise, testOp } from "../test-op";

testOp("Cos", { oracle: { each: () => Math.cos }, cases: elementwise({}) });
