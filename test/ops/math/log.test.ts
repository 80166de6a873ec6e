import { elementwise, testOp } from "../test-op";

testOp("Log", { oracle: { each: () => Math.log }, cases: elementwise({ from: [0.5, 3] }) });
