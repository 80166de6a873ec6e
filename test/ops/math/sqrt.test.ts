import { constant, dims, elementwise, testOp } from "../test-op";

testOp("Sqrt", {
  cases: [
    ...elementwise({ from: [0.1, 3] }),
    { inputs: [constant([6], [0, 1e-45, 0.1, 2, 9, 3e38])], known: "only" },
    { what: "NaN below 0", inputs: [constant([2], [-1, 4])], known: "refused" },
  ],
  evaluates: [[[dims("batch", 3)], {}, undefined]],
});
