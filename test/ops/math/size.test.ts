import { testOp } from "../test-op";

testOp("Size", { cases: [{ inputs: [[2, 3, 4]] }, { inputs: [[]] }], gradient: "none" });
