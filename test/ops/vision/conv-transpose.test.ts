import type { Operand } from "../case-graph";
import { bias, type OpCase, testOp, weights } from "../test-op";
import { forward, sums, turned } from "./transposed-reference";

/** Codes of rows have no one scale that a window could read. */
const forms: OpCase["forms"] = ["u8", "i8", "u8 to floats"];
const image = (channels: number) => ["batch", channels, 3, 4];
const twice = { strides: [2, 2] };

const cases: readonly OpCase[] = [
  {
    inputs: [image(5), weights([9, 5, 3, 3]), bias(9)],
    attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
  },
  { inputs: [image(9), weights([10, 9, 2, 2]), bias(10)], attributes: twice, fused: "Relu" },
  { inputs: [image(4), weights([8, 4, 4, 4])], attributes: { ...twice, pads: [1, 1, 1, 1] }, fused: "Clip" },
  {
    inputs: [image(3), weights([2, 3, 3, 3])],
    attributes: { ...twice, pads: [1, 0, 1, 1], output_padding: [1, 0] },
  },
  {
    inputs: [image(3), weights([4, 3, 3, 2]), bias(4)],
    attributes: { strides: [3, 1], dilations: [2, 3], pads: [2, 0, 0, 4] },
  },
  {
    what: "phases without taps",
    inputs: [image(2), weights([3, 2, 1, 2]), bias(3)],
    attributes: { strides: [3, 4] },
  },
  { inputs: [image(2), weights([3, 2, 3, 3])], attributes: { strides: [2, 4], dilations: [2, 2] } },
  { inputs: [image(6), weights([9, 2, 3, 3]), bias(9)], attributes: { ...twice, group: 3 } },
  {
    what: "channel multiplier",
    inputs: [image(4), weights([8, 1, 3, 3])],
    attributes: { ...twice, group: 4 },
  },
  {
    what: "depthwise",
    inputs: [image(19), weights([19, 1, 3, 3]), bias(19)],
    attributes: { ...twice, group: 19, pads: [1, 0, 0, 1] },
    fused: "Relu",
  },
  {
    what: "depthwise, phases without taps",
    inputs: [image(8), weights([8, 1, 2, 2]), bias(8)],
    attributes: { strides: [3, 3], group: 8 },
  },
  { what: "extreme", inputs: [image(17), weights([3, 17, 3, 3], 0, true)], attributes: twice },
  { inputs: [image(3), weights([2, 3, 5, 5])], attributes: { ...twice, auto_pad: "SAME_UPPER" } },
  { inputs: [image(3), weights([2, 3, 4, 3])], attributes: { ...twice, auto_pad: "SAME_LOWER" } },
  { inputs: [image(3), weights([2, 3, 3, 3])], attributes: { ...twice, auto_pad: "VALID" } },
  {
    what: "beyond what is reached",
    inputs: [image(3), weights([2, 3, 3, 3]), bias(2)],
    attributes: { strides: [3, 2], output_shape: [10, 13] },
  },
  { inputs: [image(3), weights([2, 3, 3, 3])], attributes: { ...twice, output_shape: [5, 6] } },
  { inputs: [["batch", 4, 7], weights([5, 4, 3]), bias(5)], attributes: { strides: [2], pads: [1, 0] } },
  {
    inputs: [["batch", 6, 7], weights([6, 1, 4])],
    attributes: { strides: [3], group: 6, output_padding: [2] },
  },
  { inputs: [["batch", 17, 1], weights([1, 17, 1]), bias(1)] },
];

const x = ["batch", 4, 3, 3];
const w = weights([2, 4, 3, 3]);
const refused = (attributes: OpCase["attributes"], message: string, operand: Operand = w) =>
  [[x, operand], attributes!, message] as const;

testOp("ConvTranspose", {
  cases: cases.map((one) => ({ ...one, forms })),
  oracle: { forward, sums },
  becomes: ["GeneralConvTranspose"],
  infers: [
    [[x, w], twice, "[batch, 2, 7, 7]"],
    [[["3*n", 4, 3], weights([2, 4, 3])], { strides: [2], output_padding: [1] }, "[3*n, 2, 8]"],
  ],
  refuses: [
    [[[1, 2, 3, 3, 3], weights([2, 2, 3, 3])], {}, "its input has no image, or the weights another rank"],
    [[["batch", 4, "h", 3], w], {}, "a size must be known"],
    [[["batch", 3, 3, 3], w], {}, "channels do not fit the weights"],
    [[x, w, bias(3)], {}, "bias does not fit: expected [2], got [3]"],
    [[x, [2, 4, 3, 3]], {}, "weights and bias must be constants"],
    refused({ group: 3 }, "channels do not fit the weights"),
    refused({ group: 0.5 }, "channels do not fit the weights"),
    refused({ kernel_shape: [2, 2] }, "kernel_shape is not that of the weights"),
    refused({ strides: [2] }, "its lists do not fit the input's rank"),
    refused({ pads: [1, 1] }, "its lists do not fit the input's rank"),
    refused({ strides: [0, 1] }, "image, kernel, strides and dilations do not fit"),
    refused({ dilations: [1, 2 ** 25] }, "image, kernel, strides and dilations do not fit"),
    refused({ output_padding: [-1, 0] }, "pads, output_padding and output_shape do not fit"),
    refused({ pads: [2, 3, 2, 3] }, "sizes of the output do not fit"),
    refused(
      { dilations: [2 ** 24, 1], output_padding: [2 ** 24, 0], output_shape: [9, 9] },
      "pads do not fit",
    ),
    refused({ auto_pad: "SAME" }, "auto_pad is unknown"),
    refused({ auto_pad: "SAME_UPPER", strides: [4, 4] }, "auto_pad SAME_UPPER would be below 0"),
    refused({ strides: [2 ** 12, 2 ** 12] }, "the plan has too many"),
  ],
});

testOp("ConvTransposeWeights", {
  oracle: { operator: turned },
  cases: [{ inputs: [[6, 2, 3, 3]], attributes: { group: 3 } }],
  gradient: "none",
  infers: [[[[6, 2, 5]], { group: 3 }, "[6, 2, 5]"]],
  refuses: [[[[4, 2, 3]], { group: 3 }, "weights do not fit"]],
  evaluates: [
    [[{ dtype: "i8", shape: [2, 3, 1], data: [1, 2, 3, 4, 5, 6] }], {}, [1, 4, 2, 5, 3, 6]],
    [
      [{ dtype: "f32", shape: [4, 2, 1], data: [1, 2, 3, 4, 5, 6, 7, 8] }],
      { group: 2 },
      [1, 3, 2, 4, 5, 7, 6, 8],
    ],
  ],
});
