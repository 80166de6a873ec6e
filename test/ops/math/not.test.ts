import { constant, testOp } from "../test-op";

testOp("Not", { cases: [{ inputs: [constant([2], [0, 1], "bool")] }], gradient: "none" });
