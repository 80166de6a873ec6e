import { elementwise, testOp } from "../test-op";

testOp("Relu", { cases: elementwise({}) });
