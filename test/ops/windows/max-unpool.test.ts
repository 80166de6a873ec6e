import { sizeOf, tensor } from "../../../src/graph/tensor";
import { listAttribute, need, type Operator } from "../../reference/node";
import { constant, fed, testOp } from "../test-op";

const places = [5, 7, 13, 15, 21, 23, 29, 31];
const window = { kernel_shape: [2, 2], strides: [2, 2] };

const unpool: Operator = (node, inputs) => {
  const [x, at] = [need(node, inputs, 0), need(node, inputs, 1)];
  const [kernel, strides, pads] = ["kernel_shape", "strides", "pads"].map(
    (name) => listAttribute(node, name) ?? [],
  );
  const own = x.shape.slice(2).map((size, i) => {
    const cut = (pads![i] ?? 0) + (pads![i + x.shape.length - 2] ?? 0);
    return (size - 1) * (strides![i] ?? 1) + kernel![i]! - cut;
  });
  const shape = listAttribute(node, "output_shape") ?? [
    ...(inputs[2]?.data ?? [...x.shape.slice(0, 2), ...own]),
  ];
  const y = new Float32Array(sizeOf(shape as number[]));
  x.data.forEach((value, i) => {
    y[at.data[i]!] = value;
  });
  return tensor("f32", shape as number[], y);
};

testOp("MaxUnpool", {
  oracle: { operator: unpool },
  gradient: "none",
  cases: [
    { inputs: [[1, 2, 2, 2], fed("i32", [1, 2, 2, 2], places)], attributes: window },
    {
      inputs: [[1, 2, 2, 2], fed("i32", [1, 2, 2, 2], places)],
      attributes: { kernel_shape: [3, 3], strides: [3, 3], pads: [0, 1, 1, 0] },
    },
    {
      inputs: [[1, 2, 2, 2], fed("i32", [1, 2, 2, 2], places)],
      attributes: { ...window, output_shape: [1, 2, 4, 5] },
    },
    { inputs: [[1, 1, 4], fed("i32", [1, 1, 4], [0, 3, 4, 1])], attributes: { kernel_shape: [2] } },
    {
      inputs: [[1, 2, 2, 2], fed("i32", [1, 2, 2, 2], places), constant([4], [1, 2, 5, 5], "i32")],
      attributes: window,
      simplified: true,
    },
  ],
  refuses: [
    [[[1, 2, 2, 2], fed("i32", [1, 2, 2])], window, "its places do not fit"],
    [[[1, 2, 2], fed("i32", [1, 2, 2])], window, "its lists do not fit the input's rank"],
  ],
});
