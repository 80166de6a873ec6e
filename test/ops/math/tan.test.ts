import { elementwise, testOp } from "../test-op";

testOp("Tan", { oracle: { each: () => Math.tan }, cases: elementwise({ from: [-1, 1] }) });
