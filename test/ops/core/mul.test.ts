import { broadcasting, testOp } from "../test-op";

testOp("Mul", { cases: broadcasting });
