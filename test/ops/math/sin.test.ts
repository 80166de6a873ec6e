import { elementwise, testOp } from "../test-op";

testOp("Sin", { oracle: { each: () => Math.sin }, cases: elementwise({}) });
