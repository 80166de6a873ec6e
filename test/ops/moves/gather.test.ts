import { constant, dims, fed, testOp } from "../test-op";

const at = (shape: readonly number[], ...values: number[]) => fed("i32", shape, values);

testOp("Gather", {
  cases: [
    { inputs: [["batch", 17], at([4], 3, 0, 3, -1)], attributes: { axis: 1 } },
    { inputs: [["batch", 5, 3], at([2], 4, 1)], attributes: { axis: 1 } },
    { inputs: [[5, 3], at([2, 3], 1, 1, 1, -1, -5, 2)], attributes: { axis: 0 } },
    {
      what: "outside: the nearest",
      inputs: [[5, 3], at([3], 99, -99, 5)],
      attributes: { axis: 0 },
      known: "refused",
    },
    { inputs: [[4, 3], at([], 2)] },
    { inputs: [[4, 3], at([0])] },
    { inputs: [["batch", 4], constant([2], [1, -1], "i32")], attributes: { axis: 1 } },
  ],
  infers: [[[["batch", 5, 4], fed("i32", [2, "n"])], { axis: 1 }, "[batch, 2, n, 4]"]],
  evaluates: [[[dims("batch", 3, "h"), dims(0, -1)], {}, ["batch", "h"]]],
});
