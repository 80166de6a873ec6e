import { elementwise, testOp } from "../test-op";

testOp("Asin", { oracle: { each: () => Math.asin }, cases: elementwise({ from: [-0.9, 0.9] }) });
