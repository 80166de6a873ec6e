import { type OpCase, testOp } from "../test-op";

const windows: readonly OpCase[] = [
  { inputs: [["batch", 5, 7, 6]], attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] } },
  { inputs: [["batch", 3, 4, 4]], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
  { inputs: [["batch", 5, 6, 5]], attributes: { kernel_shape: [3, 2], pads: [2, 1, 0, 1] } },
  { inputs: [["batch", 17, 6, 6]], attributes: { kernel_shape: [2, 3], dilations: [2, 1], strides: [1, 2] } },
  { inputs: [["batch", 3, 5, 5]], attributes: { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 } },
  {
    inputs: [["batch", 2, 5, 5]],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], auto_pad: "SAME_UPPER" },
  },
  { inputs: [["batch", 2, 6, 6]], attributes: { kernel_shape: [3, 3], auto_pad: "SAME_LOWER" } },
  { inputs: [["batch", 3, 9]], attributes: { kernel_shape: [3], strides: [2], pads: [1, 1] } },
  { inputs: [["batch", 3, 2, 5]], attributes: { kernel_shape: [9, 4], strides: [9, 4], ceil_mode: 1 } },
  { inputs: [[1, 1, 1, 1]], attributes: { kernel_shape: [1, 1] } },
];

testOp("AveragePool", {
  cases: windows.flatMap((one) => [one, { ...one, attributes: { ...one.attributes, count_include_pad: 1 } }]),
});
