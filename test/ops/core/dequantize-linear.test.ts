import { constant, fed, testOp } from "../test-op";

const scale = constant([], [0.05]);

testOp("DequantizeLinear", {
  cases: [
    { inputs: [fed("u8", ["batch", 17]), scale, constant([], [120], "u8")] },
    { inputs: [fed("i8", ["batch", 3, 4, 5]), scale, constant([], [-5], "i8")] },
    { inputs: [fed("u8", ["batch", 4]), scale] },
  ],
  gradient: "elsewhere",
  refuses: [
    [
      [fed("u8", [2, 4]), constant([1, 4], [0.1, 0.2, 0.3, 0.4])],
      { axis: 0, block_size: 2 },
      "scales of blocks have no kernels",
    ],
    [
      [fed("u8", [2, 4]), constant([2], [0.1, 0.2])],
      { axis: 0 },
      "activations have one scale a tensor: got 2 scales",
    ],
  ],
});
