import { rne } from "../../reference/quantize";
import { constant, dims, elementwise, fed, testOp } from "../test-op";

testOp("Round", {
  oracle: { each: () => rne },
  cases: [
    ...elementwise({}),
    { what: "halves", inputs: [fed("f32", [8], [-2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 1e30])] },
    { inputs: [constant([6], [-1.5, -0.5, 0, 0.2, 1.5, 2])] },
  ],
  gradient: "none",
  evaluates: [[[dims("batch", 3, "h")], {}, ["batch", 3, "h"]]],
});
