import { sizeOf } from "../../../src/graph/tensor";
import { axisOf, numberAttribute } from "../../reference/node";
import type { Forward } from "../../reference/oracle";
import { fed, testOp } from "../test-op";

const forward: Forward = (node, [x, update, starts]) => {
  const { shape } = x!;
  const data = x!.data.slice();
  const axis = axisOf(node, numberAttribute(node, "axis", -2), shape.length);
  const [extent, count] = [shape[axis]!, update!.shape[axis]!];
  const [outer, inner] = [sizeOf(shape.slice(1, axis)), sizeOf(shape.slice(axis + 1))];
  for (const [i, value] of update!.data.entries()) {
    const r = Math.floor(i / (count * inner));
    const t = (Math.floor(i / inner) % count) + (starts?.data[Math.floor(r / outer)] ?? 0);
    const at = node.attributes.mode === "circular" ? ((t % extent) + extent) % extent : t;
    if (at >= 0 && at < extent) data[(r * extent + at) * inner + (i % inner)] = value;
  }
  return [{ shape, data }];
};

const cache = ["batch", 2, 4, 3];
const starts = fed("i32", ["batch"], [0, 1, 2, 3, -1]);

testOp("TensorScatter", {
  oracle: { forward },
  cases: [
    { inputs: [cache, ["batch", 2, 2, 3], starts] },
    { inputs: [cache, ["batch", 2, 3, 3], starts], attributes: { mode: "circular" } },
    {
      inputs: [
        [2, 4, 17],
        [2, 1, 17],
      ],
      attributes: { axis: 1 },
    },
    { inputs: [fed("u8", [1, 4, 3]), fed("u8", [1, 4, 3])] },
    {
      inputs: [fed("i8", [2, 4]), fed("i8", [2, 1]), fed("i32", [2], [3, 2 ** 31 - 1])],
      attributes: { axis: -1 },
    },
  ],
  gradient: "none",
  refuses: [
    [
      [
        [2, 4, 3],
        [2, 5, 3],
      ],
      {},
      "the update is longer than the cache: expected at most 4, got 5",
    ],
    [
      [
        [2, 4, 3],
        [2, 1, 3],
      ],
      { mode: "ring" },
      "mode is unknown",
    ],
    [
      [
        [2, 4, 3],
        [2, 1, 3],
      ],
      { axis: 0 },
      "axis is that of the batch",
    ],
    [[[2, 4, 3], [2, 1, 3], fed("i32", [3])], {}, "input 2 does not fit: expected [2], got [3]"],
  ],
});
