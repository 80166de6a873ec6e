import { expect, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
import { splitTraits } from "../../../src/ops/core/split";
import { testOp } from "../test-op";

testOp("Split", {
  cases: [
    { inputs: [["batch", 6]], attributes: { axis: 1 }, outputs: 2 },
    { inputs: [["batch", 6, 4, 5]], attributes: { axis: 1, split: [1, 3, 2] }, outputs: 3 },
    { inputs: [["batch", 4, 3, 5]], attributes: { axis: 1 }, outputs: 2 },
    { inputs: [["batch", 5]], attributes: { axis: -1, num_outputs: 2 }, outputs: 2 },
    { inputs: [["batch", 5, 3]], attributes: { axis: 1, split: [1, 1, 3] }, outputs: 3 },
    { inputs: [[6]], attributes: { axis: 0 }, outputs: 3 },
    { inputs: [[7, 2]], attributes: { axis: 0, split: [3, 4] }, outputs: 2 },
    { what: "into one", inputs: [["batch", 3, 4, 6]], attributes: { axis: 1 } },
  ],
  infers: [
    [[["batch", "4*n"]], { axis: 1 }, "[batch, 2*n] [batch, 2*n]", 2],
    [[["batch", 5]], { axis: 1, num_outputs: 3 }, "[batch, 2] [batch, 2] [batch, 1]", 3],
  ],
  refuses: [
    [[[5]], { split: [2, 2] }, "the parts do not make up the whole", 2],
    [[[5]], { num_outputs: 3 }, "num_outputs is not the number of its outputs", 2],
  ],
});

test.each([
  [1, [2, "k"]],
  [5, [2, "k"]],
  [0, [1, "k"]],
])("parts of a constant of %i that a run may find to be other than the whole are no constants", (size, sizes) => {
  const cut = splitTraits.evaluate!(
    { op: "Split", name: "s", inputs: ["x"], outputs: ["a", "b"], attributes: { split: sizes } },
    [tensor("f32", [size as number], new Float32Array(size as number))],
    [],
  );
  expect(cut).toBe(undefined);
});
