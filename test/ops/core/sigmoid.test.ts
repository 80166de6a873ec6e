import { elementwise, testOp } from "../test-op";

testOp("Sigmoid", { cases: elementwise({ from: [-6, 6] }) });
