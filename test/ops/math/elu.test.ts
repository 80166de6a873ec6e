import { elementwise, testOp } from "../test-op";

testOp("Elu", { cases: elementwise({ attributes: { alpha: 1.5 } }, { attributes: { alpha: -0.5 } }, {}) });
