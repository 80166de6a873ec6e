import { elementwise, testOp } from "../test-op";

testOp("Atan", { oracle: { each: () => Math.atan }, cases: elementwise({}) });
