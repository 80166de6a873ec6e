import { elementwise, testOp } from "../test-op";

testOp("Cosh", { oracle: { each: () => Math.cosh }, cases: elementwise({}) });
