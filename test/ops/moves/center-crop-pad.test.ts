import { sizeOf } from "../../../src/graph/tensor";
import { axisOf, listAttribute } from "../../reference/node";
import type { Forward } from "../../reference/oracle";
import { stridesOf } from "../../reference/view";
import { constant, fed, testOp } from "../test-op";

const forward: Forward = (node, [x, fixed]) => {
  const { shape: from, data } = x!;
  const axes = listAttribute(node, "axes") ?? from.map((_, d) => d);
  const wanted = listAttribute(node, "shape") ?? [...fixed!.data];
  const shape = [...from];
  for (const [i, axis] of axes.entries()) shape[axisOf(node, axis, from.length)] = wanted[i]!;
  const [own, strides] = [stridesOf(shape), stridesOf(from)];
  const y = Float64Array.from({ length: sizeOf(shape) }, (_, at) => {
    let source = 0;
    for (const [d, size] of shape.entries()) {
      const margin = Math.trunc((from[d]! - size) / 2);
      const i = (Math.floor(at / own[d]!) % size) + margin;
      if (i < 0 || i >= from[d]!) return 0;
      source += i * strides[d]!;
    }
    return data[source]!;
  });
  return [{ shape, data: y }];
};

testOp("CenterCropPad", {
  oracle: { forward },
  cases: [
    { inputs: [["batch", 7, 5, 3]], attributes: { shape: [4, 8], axes: [1, -2] } },
    { inputs: [["batch", 3, 6, 4]], attributes: { shape: [3, 9], axes: [2, 3] } },
    { inputs: [[5, 4]], attributes: { shape: [2, 17] } },
    { inputs: [[1, 3]], attributes: { shape: [4, 3] } },
    { inputs: [fed("i32", [3], [1, 2, 3])], attributes: { shape: [4] } },
    { inputs: [fed("i8", [3, 3])], attributes: { shape: [4, 1] } },
    { inputs: [fed("bool", [2, 3])], attributes: { shape: [4, 4] } },
    { inputs: [[5, 4], constant([2], [2, 6], "i32")], simplified: true },
  ],
  refuses: [
    [[["n", 3]], { shape: [4, 3] }, "a size must be known"],
    [[[3, 3]], { shape: [4] }, "shape does not fit: expected 2 dimensions, got 1"],
  ],
});
