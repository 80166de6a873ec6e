import { elementwise, testOp } from "../test-op";

testOp("Asinh", { oracle: { each: () => Math.asinh }, cases: elementwise({}) });
