import { elementwise, testOp } from "../test-op";

testOp("Sinh", { oracle: { each: () => Math.sinh }, cases: elementwise({}) });
