import { elementwise, testOp } from "../test-op";

testOp("Acosh", { oracle: { each: () => Math.acosh }, cases: elementwise({ from: [1.2, 4] }) });
