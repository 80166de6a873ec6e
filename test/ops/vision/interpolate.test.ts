import { sizeOf } from "../../../src/graph/tensor";
import { axisOf, listAttribute, numberAttribute, stringAttribute } from "../../reference/node";
import type { Forward } from "../../reference/oracle";
import { coordinates } from "../../reference/resize";
import { stridesOf } from "../../reference/view";
import { testOp } from "../test-op";

/** The filters, as ONNX's documentation of Resize has them. */
const linear = (d: number) => Math.max(0, 1 - Math.abs(d));
const cubic = (a: number) => (at: number) => {
  const d = Math.abs(at);
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
};

/** One axis of `from` elements as rows of weights; undefined where an element lies outside. */
type Weights = readonly (Float64Array | undefined)[];

function weightsOf(node: Parameters<Forward>[0], from: number, i: number, count: number): Weights {
  const [scales, sizes, roi] = ["scales", "sizes", "roi"].map((name) => listAttribute(node, name) ?? []);
  const scale = scales![i] ?? sizes![i]! / from;
  const to = sizes![i] ?? Math.floor(Math.fround(from * scale));
  const mode = stringAttribute(node, "coordinate_transformation_mode", "half_pixel");
  const isCrop = mode === "tf_crop_and_resize";
  const [start, end] = [roi![i]!, roi![i + count]!];
  const place = (j: number) =>
    isCrop
      ? (to > 1 ? start + (j * (end - start)) / (to - 1) : (start + end) / 2) * (from - 1)
      : coordinates[mode]!(j, scale, to, from);
  const filter =
    node.attributes.mode === "cubic" ? cubic(numberAttribute(node, "cubic_coeff_a", -0.75)) : linear;
  const width = node.attributes.antialias ? Math.min(1, scale) : 1;
  return Array.from({ length: to }, (_, j) => {
    const at = place(j);
    if (isCrop && (at < 0 || at > from - 1)) return undefined;
    const weights = new Float64Array(from);
    let sum = 0;
    for (let k = Math.floor(at - 2 / width); k <= at + 2 / width; k++) {
      if (node.attributes.exclude_outside && (k < 0 || k >= from)) continue;
      const weight = filter((k - at) * width);
      weights[Math.min(from - 1, Math.max(0, k))]! += weight;
      sum += weight;
    }
    return weights.map((weight) => weight / sum);
  });
}

const forward: Forward = (node, [x]) => {
  const { shape: from, data } = x!;
  const axes = (listAttribute(node, "axes") ?? from.map((_, d) => d)).map((d) =>
    axisOf(node, d, from.length),
  );
  const whole = (size: number): Weights =>
    Array.from({ length: size }, (_, i) => Float64Array.from({ length: size }, (_, k) => Number(i === k)));
  const weights = from.map((size, d) =>
    axes.includes(d) ? weightsOf(node, size, axes.indexOf(d), axes.length) : whole(size),
  );
  const shape = weights.map(({ length }) => length);
  const [own, strides] = [stridesOf(shape), stridesOf(from)];
  const y = Float64Array.from({ length: sizeOf(shape) }, (_, at) => {
    let sum = 0;
    const visit = (d: number, offset: number, weight: number): boolean => {
      if (d === shape.length) {
        sum += weight * data[offset]!;
        return true;
      }
      const row = weights[d]![Math.floor(at / own[d]!) % shape[d]!];
      if (!row) return false;
      for (const [k, part] of row.entries())
        if (part !== 0 && !visit(d + 1, offset + k * strides[d]!, weight * part)) return false;
      return true;
    };
    return visit(0, 0, 1) ? sum : numberAttribute(node, "extrapolation_value", 0);
  });
  return [{ shape, data: y }];
};

const image = ["batch", 3, 4, 5];

testOp("Interpolate", {
  oracle: { forward },
  cases: [
    { inputs: [image], attributes: { mode: "linear", axes: [2, 3], scales: [2, 2] } },
    { inputs: [image], attributes: { mode: "cubic", axes: [2, 3], scales: [1.5, 3] } },
    {
      inputs: [image],
      attributes: {
        mode: "linear",
        axes: [-1],
        sizes: [17],
        coordinate_transformation_mode: "align_corners",
      },
    },
    { inputs: [image], attributes: { mode: "cubic", axes: [2, 3], sizes: [2, 3], antialias: 1 } },
    {
      inputs: [[1, 3, 9, 17]],
      attributes: { mode: "linear", scales: [1, 1, 0.4, 0.3], antialias: 1, exclude_outside: 1 },
    },
    { inputs: [[2, 2, 3, 4]], attributes: { mode: "linear", scales: [1, 2, 2, 2] } },
    {
      inputs: [["batch", 6]],
      attributes: { mode: "cubic", axes: [1], scales: [2], cubic_coeff_a: -0.5, exclude_outside: 1 },
    },
    {
      inputs: [[4, 5]],
      attributes: { mode: "linear", scales: [0.5, 3], coordinate_transformation_mode: "asymmetric" },
    },
    {
      inputs: [[4, 1]],
      attributes: { mode: "cubic", sizes: [1, 4], coordinate_transformation_mode: "pytorch_half_pixel" },
    },
    {
      what: "a crop",
      inputs: [["batch", 2, 4, 5]],
      attributes: {
        mode: "linear",
        axes: [2, 3],
        sizes: [4, 3],
        roi: [0.2, -0.4, 0.8, 1.3],
        coordinate_transformation_mode: "tf_crop_and_resize",
        extrapolation_value: 7,
      },
      gradient: "none",
    },
    {
      inputs: [[2, 1, 5, 3]],
      attributes: { mode: "linear", axes: [2, 3], sizes: [5, 3], keep_aspect_ratio_policy: "stretch" },
    },
  ],
  onnx: ["Resize", "Upsample"],
  infers: [
    [[["n", 3, "h", 4]], { mode: "linear", scales: [1, 1, 2, 2] }, "[n, 3, 2*h, 8]"],
    [
      [[1, 3, 10, 20]],
      { axes: [2, 3], sizes: [5, 5], keep_aspect_ratio_policy: "not_larger" },
      "[1, 3, 3, 5]",
    ],
  ],
  refuses: [
    [[[2, 3]], { mode: "best", scales: [2, 2] }, "mode is unknown: expected linear, cubic, got best"],
    [[["n", 3]], { scales: [1.5, 1] }, "a size must be known"],
    [[[2, 3]], { scales: [0, 1] }, "a scale is not above 0"],
    [[[2, 3]], { scales: [1] }, "scales and sizes do not fit"],
    [
      [[2, 3]],
      { scales: [1, 1], coordinate_transformation_mode: "tf_crop_and_resize" },
      "roi does not fit: expected 4 numbers",
    ],
  ],
});
