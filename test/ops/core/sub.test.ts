import { broadcasting, testOp } from "../test-op";

testOp("Sub", { cases: broadcasting });
