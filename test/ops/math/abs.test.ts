import { elementwise, testOp } from "../test-op";

testOp("Abs", { cases: elementwise({ from: [-2, 2] }) });
