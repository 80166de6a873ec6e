import { elementwise, testOp } from "../test-op";

testOp("Atanh", { oracle: { each: () => Math.atanh }, cases: elementwise({ from: [-0.9, 0.9] }) });
