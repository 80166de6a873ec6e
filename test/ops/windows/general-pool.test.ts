import { sizeOf, tensor } from "../../../src/graph/tensor";
import { floatOperators, poolKernel } from "../../reference/float";
import { need, numberAttribute, type Operator } from "../../reference/node";
import type { Forward } from "../../reference/oracle";
import { windowsOf } from "../../reference/windows";
import { fed, testOp } from "../test-op";

const volume = ["batch", 5, 6, 5, 7];
const window = { kernel_shape: [3, 2, 3], strides: [2, 2, 2], pads: [1, 0, 1, 1, 1, 0] };

/** Where an element of a volume is, as places count them: the last dimension fastest, or the first. */
function placeOf(at: number, spatial: readonly number[], byColumns: boolean): number {
  if (!byColumns) return at;
  let [place, step, rest] = [0, sizeOf(spatial), at];
  for (const size of [...spatial].reverse()) {
    step /= size;
    place += (rest % size) * step;
    rest = Math.floor(rest / size);
  }
  return place;
}

/** The first of the largest of each window, and where it is. */
const maxPool: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const [images, channels, ...spatial] = x.shape as [number, number, ...number[]];
  const { shape, taps, positions, table } = windowsOf(node, spatial, poolKernel(node, spatial));
  const byColumns = numberAttribute(node, "storage_order", 0) === 1;
  const size = sizeOf(spatial);
  const values: number[] = [];
  const places: number[] = [];
  for (let c = 0; c < images * channels; c++)
    for (let p = 0; p < positions; p++) {
      const seen = [...table.subarray(p * taps, (p + 1) * taps)].filter((at) => at >= 0);
      const best = seen.reduce((a, b) => (x.data[c * size + b]! > x.data[c * size + a]! ? b : a));
      values.push(x.data[c * size + best]!);
      places.push(c * size + placeOf(best, spatial, byColumns));
    }
  const all = [images, channels, ...shape];
  return [tensor(x.dtype, all, values), tensor("i32", all, places)].slice(
    0,
    Math.max(1, node.outputs.length),
  );
};

const codes = Array.from({ length: 2 * 17 * 3 * 3 * 2 }, (_, i) => ((i * 37) % 256) - 128);

testOp("GeneralMaxPool", {
  oracle: { operator: maxPool },
  gradient: "none",
  cases: [
    { inputs: [volume], attributes: window },
    { inputs: [volume], attributes: { ...window, ceil_mode: 1, dilations: [1, 2, 1] } },
    { inputs: [["batch", 17, 4, 4]], attributes: { kernel_shape: [2, 3], auto_pad: "SAME_LOWER" } },
    { inputs: [volume], attributes: window, outputs: 2 },
    { inputs: [volume], attributes: { ...window, storage_order: 1 }, outputs: 2 },
    { inputs: [["batch", 3, 5, 6]], attributes: { kernel_shape: [2, 2], storage_order: 1 }, outputs: 2 },
    { inputs: [["batch", 1, 9]], attributes: { kernel_shape: [4], strides: [3] }, outputs: 2 },
    { inputs: [fed("i8", [2, 17, 3, 3, 2], codes)], attributes: { kernel_shape: [2, 3, 2] } },
    {
      inputs: [
        fed(
          "u8",
          [2, 17, 3, 3, 2],
          codes.map((q) => q + 128),
        ),
      ],
      attributes: { kernel_shape: [2, 3, 2] },
    },
  ],
  infers: [[[["n", 2, 4, 4, 4]], { kernel_shape: [2, 2, 2] }, "[n, 2, 3, 3, 3] [n, 2, 3, 3, 3]", 2]],
  refuses: [
    [[fed("i32", [1, 1, 2])], { kernel_shape: [1] }, "element type does not fit"],
    [[[1, 1, 2, 2, 2, 2]], { kernel_shape: [1, 1, 1, 1] }, "it has too many spatial dimensions"],
  ],
});

testOp("GeneralAveragePool", {
  oracle: { operator: floatOperators.AveragePool! },
  gradient: "none",
  cases: [
    { inputs: [volume], attributes: window },
    { inputs: [volume], attributes: { ...window, count_include_pad: 1, ceil_mode: 1 } },
    { inputs: [volume], attributes: { ...window, dilations: [2, 2, 1] } },
    { inputs: [["batch", 17, 2, 2, 2]], attributes: { kernel_shape: [2, 2, 2], auto_pad: "SAME_UPPER" } },
    { inputs: [["batch", 3, 9]], attributes: { kernel_shape: [4], strides: [3] } },
  ],
});

/** (Σ |x|^p)^(1/p) of each window. */
const norm: Forward = (node, [x]) => {
  const [images, channels, ...spatial] = x!.shape as [number, number, ...number[]];
  const { shape, taps, positions, table } = windowsOf(node, spatial, poolKernel(node, spatial));
  const p = numberAttribute(node, "p", 2);
  const size = sizeOf(spatial);
  const data = Float64Array.from({ length: images * channels * positions }, (_, i) => {
    const from = Math.floor(i / positions) * size;
    let sum = 0;
    for (const at of table.subarray((i % positions) * taps, ((i % positions) + 1) * taps))
      if (at >= 0) sum += Math.abs(x!.data[from + at]!) ** p;
    return sum ** (1 / p);
  });
  return [{ shape: [images, channels, ...shape], data }];
};

testOp("LpPool", {
  oracle: { forward: norm },
  gradient: "none",
  cases: [
    { inputs: [volume], attributes: window },
    {
      inputs: [["batch", 17, 4, 5]],
      attributes: { kernel_shape: [2, 3], p: 1, ceil_mode: 1, strides: [2, 2] },
    },
    { inputs: [["batch", 3, 9]], attributes: { kernel_shape: [4], p: 3, dilations: [2] } },
    { inputs: [["batch", 3, 9]], attributes: { kernel_shape: [4], auto_pad: "SAME_UPPER" } },
  ],
  refuses: [[[[1, 1, 2]], { kernel_shape: [1], p: 0 }, "p does not fit"]],
});

testOp("GlobalLpPool", {
  oracle: {
    forward: (node, [x]) =>
      norm({ ...node, attributes: { ...node.attributes, kernel_shape: x!.shape.slice(2) } }, [x]),
  },
  gradient: "none",
  cases: [{ inputs: [["batch", 3, 4, 5]] }, { inputs: [["batch", 17, 2, 3, 2]], attributes: { p: 3 } }],
});
