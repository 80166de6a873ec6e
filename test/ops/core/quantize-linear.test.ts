import { constant, testOp } from "../test-op";

const scale = constant([], [0.05]);

testOp("QuantizeLinear", {
  cases: [
    { inputs: [["batch", 17], scale, constant([], [120], "u8")] },
    { inputs: [["batch", 3, 4, 5], scale, constant([], [-5], "i8")] },
    { inputs: [["batch", 4], scale] },
  ],
  gradient: "elsewhere",
  refuses: [
    [
      [[2, 4], constant([1, 4], [0.1, 0.2, 0.3, 0.4])],
      { axis: 0, block_size: 2, output_dtype: "u8" },
      "scales of blocks have no kernels",
    ],
    [[[2, 4], constant([2], [0.1, 0.2])], { axis: 0 }, "activations have one scale a tensor: got 2 scales"],
  ],
});
