import type { Shape } from "../../../src/graph/symbols";
import { type DType, tensor } from "../../../src/graph/tensor";
import { need } from "../../reference/node";
import type { Real } from "../../reference/oracle";
import { broadcastShapes, broadcastStrides, offsets } from "../../reference/view";
import { constant, dims, fed, testOp } from "../test-op";

/** Chosen elements of three values that are broadcast. */
function chosen(all: readonly { shape: readonly number[]; data: ArrayLike<number> }[]) {
  const shape = all.map((x) => x.shape).reduce((a, b) => broadcastShapes(a, b));
  const [c, x, y] = all.map((one) => offsets(shape, broadcastStrides(one.shape, shape)));
  const data = Array.from(x!, (at, i) => (all[0]!.data[c![i]!] ? all[1]!.data[at]! : all[2]!.data[y![i]!]!));
  return { shape, data };
}

const bools = (...shape: Shape) => fed("bool", shape);
const dtypes: readonly DType[] = ["f32", "i32", "i8", "u8", "bool"];

testOp("Where", {
  oracle: {
    operator: (node, inputs) => {
      const { shape, data } = chosen([0, 1, 2].map((i) => need(node, inputs, i)));
      return tensor(need(node, inputs, 1).dtype, shape, data);
    },
    forward: (_, inputs) => {
      const { shape, data } = chosen(inputs as readonly Real[]);
      return [{ shape, data: Float64Array.from(data) }];
    },
  },
  cases: [
    ...dtypes.flatMap((dtype) => {
      const of = (...shape: Shape) => (dtype === "f32" ? shape : fed(dtype, shape));
      return [
        { inputs: [bools("batch", 17), of("batch", 17), of("batch", 17)] },
        { inputs: [bools(1, 4, 5), of("batch", 3, 1, 1), of()] },
        { inputs: [bools("batch", 3, 4, 5), of("batch", 3, 4, 5), of("batch", 3, 4, 5)] },
        { inputs: [bools(), of(3), of(2, 1)] },
        { inputs: [bools(2, 1, 3, 1, 2, 1), of(1, 2, 1, 2, 1, 3), of(2, 1, 1, 1, 1, 3)] },
        { inputs: [bools(33), of(), of(33)] },
      ].map((one) => ({ ...one, gradient: "none" as const }));
    }),
    { inputs: [fed("bool", [2, 3], [1, 0, 1, 1, 0, 0]), [4, 1, 3], [2, 1]] },
    { inputs: [fed("bool", [3, 1, 1], [1, 0, 1]), ["batch", 3, 4, 5], ["batch", 3, 4, 5]] },
    { inputs: [fed("bool", [], [1]), [3], [2, 1]] },
    { inputs: [constant([2], [1, 0], "bool"), constant([3, 2], [1, 2, 3, 4, 5, 6]), constant([], [9])] },
  ],
  infers: [[[fed("bool", ["batch", 1]), [4], []], {}, "[batch, 4]"]],
  refuses: [
    [[[3], [3], [3]], {}, "element type does not fit: expected bool, got f32"],
    [[fed("bool", [3]), [3], fed("i32", [3])], {}, "element types differ"],
  ],
  evaluates: [[[{ ...dims(1, 0, 1), dtype: "bool" }, dims("batch", 3, "h"), dims(7)], {}, ["batch", 7, "h"]]],
});
