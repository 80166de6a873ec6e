import { elementwise, testOp } from "../test-op";

testOp("Tanh", { cases: elementwise({}) });
