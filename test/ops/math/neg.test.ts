import { elementwise, testOp } from "../test-op";

testOp("Neg", { cases: elementwise({ from: [-2, 2] }) });
