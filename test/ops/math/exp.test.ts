import { elementwise, testOp } from "../test-op";

testOp("Exp", { cases: elementwise({}) });
