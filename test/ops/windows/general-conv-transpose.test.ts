import { constant, testOp } from "../test-op";
import { forward } from "../vision/transposed-reference";

const volume = ["batch", 4, 2, 3, 2];
const thrice = { strides: [2, 2, 3] };

testOp("GeneralConvTranspose", {
  oracle: { forward },
  gradient: "none",
  cases: [
    {
      inputs: [volume, constant([9, 4, 3, 2, 3]), constant([9])],
      attributes: { ...thrice, kernel_shape: [3, 2, 3], pads: [1, 0, 1, 1, 1, 0], output_padding: [1, 0, 2] },
    },
    {
      inputs: [volume, [3, 4, 3, 3, 3], [3]],
      attributes: { ...thrice, dilations: [2, 1, 2] },
      fused: "Relu",
    },
    { inputs: [volume, [6, 2, 2, 2, 2]], attributes: { ...thrice, group: 2 }, fused: "Clip" },
    {
      inputs: [["batch", 17, 2, 2, 2], constant([17, 1, 2, 3, 2]), constant([17])],
      attributes: { ...thrice, group: 17 },
    },
    { inputs: [volume, constant([2, 4, 3, 3, 3])], attributes: { ...thrice, auto_pad: "SAME_UPPER" } },
    { inputs: [volume, constant([2, 4, 1, 2, 2])], attributes: { ...thrice, output_shape: [4, 6, 6] } },
    {
      what: "images, computed weights",
      inputs: [["batch", 4, 3, 4], [8, 4, 4, 4], [8]],
      attributes: { strides: [2, 2] },
    },
    {
      what: "rows, computed weights",
      inputs: [
        ["batch", 4, 7],
        [5, 4, 3],
      ],
      attributes: { strides: [2] },
    },
  ],
  infers: [
    [
      [
        ["n", 2, 3, 3, 3],
        [4, 2, 2, 2, 2],
      ],
      {},
      "[n, 4, 4, 4, 4]",
    ],
  ],
});
