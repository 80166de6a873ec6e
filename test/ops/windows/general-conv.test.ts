import { floatOperators } from "../../reference/float";
import { constant, fed, testOp } from "../test-op";

const volume = ["batch", 6, 4, 3, 5];
const w = [9, 6, 3, 2, 3];

testOp("GeneralConv", {
  oracle: { operator: floatOperators.Conv! },
  gradient: "none",
  cases: [
    {
      inputs: [volume, constant(w), constant([9])],
      attributes: { kernel_shape: [3, 2, 3], strides: [2, 1, 2], pads: [1, 0, 1, 1, 1, 0] },
    },
    { inputs: [volume, w, [9]], attributes: { dilations: [1, 2, 2], pads: [1, 1, 1, 1, 1, 1] } },
    { inputs: [volume, constant([9, 2, 3, 2, 3])], attributes: { group: 3 }, fused: "Relu" },
    { inputs: [volume, [6, 1, 2, 2, 2], [6]], attributes: { group: 6, auto_pad: "SAME_UPPER" } },
    {
      inputs: [["batch", 17, 2, 2, 2], constant([17, 1, 2, 2, 2])],
      attributes: { group: 17 },
      fused: "Clip",
    },
    { what: "images, computed weights", inputs: [["batch", 5, 6, 7], [8, 5, 3, 3], [8]] },
    {
      what: "rows, computed weights",
      inputs: [
        ["batch", 5, 19],
        [3, 5, 3],
      ],
      attributes: { strides: [2] },
    },
    { what: "of points, computed bias", inputs: [["batch", 5, 3, 3], constant([17, 5, 1, 1]), [17]] },
    {
      what: "with ceil_mode, which changes sizes",
      inputs: [["batch", 1, 6], constant([1, 1, 3])],
      attributes: { strides: [2], ceil_mode: 1 },
      exported: "refused",
    },
  ],
  infers: [
    [
      [
        ["n", 2, 3, 3, 3],
        [4, 2, 2, 2, 2],
      ],
      {},
      "[n, 4, 2, 2, 2]",
    ],
  ],
  refuses: [
    [
      [
        [1, 2, 3, 3, 3],
        [4, 2, 2, 2],
      ],
      {},
      "weights do not fit the input",
    ],
    [[fed("u8", [1, 2, 3]), [4, 2, 2]], {}, "element type of input 0 does not fit"],
  ],
});
