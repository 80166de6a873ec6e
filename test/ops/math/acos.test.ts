import { elementwise, testOp } from "../test-op";

testOp("Acos", { oracle: { each: () => Math.acos }, cases: elementwise({ from: [-0.9, 0.9] }) });
