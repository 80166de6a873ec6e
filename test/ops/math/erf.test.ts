import { elementwise, testOp } from "../test-op";

testOp("Erf", { cases: elementwise({ from: [-2, 2] }) });
