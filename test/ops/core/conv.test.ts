import type { Attributes } from "../../graph-builder";
import { bias, type OpCase, testOp, weights } from "../test-op";

/** Images [batch, cin, 7, 6] and a bias; one scale a tensor, as convolutions have no other. */
const conv = (
  cin: number,
  kernel: readonly number[],
  attributes: Attributes = {},
  more: Partial<OpCase> & { readonly extreme?: boolean; readonly image?: readonly number[] } = {},
): OpCase => {
  const { extreme, image = [7, 6], ...rest } = more;
  const inputs = [["batch", cin, ...image], weights(kernel, 0, extreme)];
  return {
    attributes,
    forms: ["u8", "i8", "u8 to floats"],
    inputs: extreme ? inputs : [...inputs, bias(kernel[0]!)],
    ...rest,
  };
};
const pads = [1, 1, 1, 1];
const strides = [2, 2];

testOp("Conv", {
  cases: [
    conv(5, [9, 5, 3, 3], { kernel_shape: [3, 3], pads }),
    conv(16, [17, 16, 3, 3], { pads, strides }, { fused: "Relu" }),
    conv(3, [4, 3, 3, 3], { dilations: [2, 2], pads: [2, 1, 0, 3] }),
    conv(24, [40, 24, 1, 1], {}, { fused: "Clip" }),
    conv(8, [8, 8, 1, 1], { strides }),
    conv(12, [18, 4, 3, 3], { pads, group: 3 }),
    conv(19, [19, 1, 3, 3], { pads, group: 19 }, { fused: "Relu" }),
    conv(32, [32, 1, 5, 5], { pads: [2, 2, 2, 2], strides, group: 32 }),
    conv(4, [8, 1, 3, 3], { pads, group: 4 }),
    conv(64, [8, 64, 3, 3], {}, { extreme: true }),
    conv(2, [3, 2, 5, 3], { pads: [2, 0, 1, 1], strides: [3, 1] }, { image: [9, 8] }),
    conv(4, [5, 4, 3], { pads: [1, 1] }, { image: [17] }),
    { ...conv(3, [4, 3, 3, 3], { strides, ceil_mode: 1 }), exported: "refused" },
    conv(2, [3, 2, 3, 3], { auto_pad: "SAME_LOWER", strides }),
    conv(3, [7, 3, 1, 1], {}, { extreme: true }),
  ],
  onnx: ["Conv", "ConvInteger", "QLinearConv"],
  refuses: [
    [
      [[1, 2, 6, 6], weights([4, 2, 2, 2])],
      { kernel_shape: [3, 3] },
      "kernel_shape is not that of the weights",
    ],
  ],
});
