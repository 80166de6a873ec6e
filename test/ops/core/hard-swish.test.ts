import { elementwise, testOp } from "../test-op";

testOp("HardSwish", { cases: elementwise({ from: [-5, 5] }) });
