import { broadcasting, testOp } from "../test-op";

testOp("Div", { cases: broadcasting });
