import { elementwise, testOp } from "../test-op";

testOp("Silu", { cases: elementwise({ from: [-6, 6] }) });
