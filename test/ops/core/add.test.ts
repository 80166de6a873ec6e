import { broadcasting, testOp } from "../test-op";

testOp("Add", { cases: broadcasting });
