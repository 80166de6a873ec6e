import { elementwise, testOp } from "../test-op";

testOp("Sqrt", { cases: elementwise({ from: [0.1, 3] }) });
