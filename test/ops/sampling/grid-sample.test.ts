import { numberAttribute } from "../../reference/node";
import type { Forward } from "../../reference/oracle";
import { fed, testOp } from "../test-op";

const clamp = (v: number, lo: number, hi: number) => Math.max(lo, Math.min(v, hi));

/** A place seen in mirrors at lo and hi. */
function reflected(v: number, lo: number, hi: number): number {
  const range = hi - lo;
  if (range <= 0) return lo;
  const turned = (((v - lo) % (2 * range)) + 2 * range) % (2 * range);
  return lo + (turned <= range ? turned : 2 * range - turned);
}

const halfToEven = (v: number) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));

/** Keys' cubic convolution with −0.75. */
function cubic(distance: number): number {
  const t = Math.abs(distance);
  if (t <= 1) return (1.25 * t - 2.25) * t * t + 1;
  return t < 2 ? ((-0.75 * t + 3.75) * t - 6) * t + 3 : 0;
}

/** Pixels and weights that a place is read of along an axis. */
function axis(node: Parameters<Forward>[0], place: number, size: number): [pixel: number, weight: number][] {
  const isAligned = numberAttribute(node, "align_corners", 0) !== 0;
  const { mode = "linear", padding_mode: padding = "zeros" } = node.attributes;
  const [lo, hi] = isAligned ? [0, size - 1] : [-0.5, size - 0.5];
  let v = isAligned ? ((place + 1) / 2) * (size - 1) : ((place + 1) * size - 1) / 2;
  if (mode === "nearest") v = halfToEven(v);
  if (v < lo || v > hi) {
    if (padding === "border" && !`${mode}`.endsWith("cubic")) v = clamp(v, 0, size - 1);
    if (padding === "reflection") v = reflected(v, lo, hi);
  }
  const pixel = (i: number) => {
    if (padding === "border") return clamp(i, 0, size - 1);
    return padding === "reflection" && (i < 0 || i >= size)
      ? clamp(Math.trunc(reflected(i, lo, hi)), 0, size - 1)
      : i;
  };
  const first = Math.floor(v);
  const t = v - first;
  if (mode === "nearest") return [[pixel(first), 1]];
  if (`${mode}`.endsWith("cubic")) return [-1, 0, 1, 2].map((k) => [pixel(first + k), cubic(t - k)]);
  return [
    [pixel(first), 1 - t],
    [pixel(first + 1), t],
  ];
}

const forward: Forward = (node, [x, grid]) => {
  const [images, channels, ...spatial] = x!.shape as [number, number, ...number[]];
  const out = grid!.shape.slice(1, -1);
  const [places, size] = [out, spatial].map((list) => list.reduce((a, b) => a * b, 1)) as [number, number];
  const rank = spatial.length;
  const data = Float64Array.from({ length: images * channels * places }, (_, i) => {
    const [p, plane] = [i % places, Math.floor(i / places)];
    const at = (Math.floor(plane / channels) * places + p) * rank;
    // The last number of a place is of the first axis.
    const all = spatial.map((n, k) => axis(node, grid!.data[at + rank - 1 - k]!, n));
    const sum = (k: number, index: number): number =>
      k === rank
        ? x!.data[plane * size + index]!
        : all[k]!.reduce((s, [pixel, weight]) => {
            const isIn = pixel >= 0 && pixel < spatial[k]!;
            return isIn ? s + weight * sum(k + 1, index * spatial[k]! + pixel) : s;
          }, 0);
    return sum(0, 0);
  });
  return [{ shape: [images, channels, ...out], data }];
};

const image = ["batch", 3, 4, 5];
const grid = ["batch", 3, 2, 2];
const far = [-1, -1, 1, 1, 0, 0, -2.75, 1.5, 9, -1e12, Number.NaN, 0.5];

testOp("GridSample", {
  oracle: { forward },
  gradient: "none",
  cases: [
    ...["nearest", "linear", "cubic"].flatMap((mode) =>
      ["zeros", "border", "reflection"].flatMap((padding_mode) =>
        [0, 1].map((align_corners) => ({
          inputs: [image, grid],
          attributes: { mode, padding_mode, align_corners },
          from: [-1.7, 1.7] as const,
        })),
      ),
    ),
    { inputs: [image, grid], attributes: { mode: "bilinear" } },
    { inputs: [image, grid], attributes: { mode: "bicubic" } },
    {
      what: "a volume",
      inputs: [
        ["batch", 2, 3, 4, 5],
        ["batch", 2, 2, 3, 3],
      ],
      attributes: { padding_mode: "border" },
      from: [-1.2, 1.2],
    },
    {
      what: "a volume in mirrors",
      inputs: [
        [2, 2, 3, 1, 5],
        [2, 2, 2, 3, 3],
      ],
      attributes: { padding_mode: "reflection", mode: "cubic" },
      from: [-1.2, 1.2],
    },
    { what: "far away", inputs: [[1, 2, 4, 5], fed("f32", [1, 3, 2, 2], far)] },
    {
      what: "at the border",
      inputs: [
        [1, 2, 4, 5],
        fed(
          "f32",
          [1, 3, 2, 2],
          far.map((v) => (Number.isNaN(v) ? 7 : v)),
        ),
      ],
      attributes: { padding_mode: "border", mode: "nearest" },
    },
  ],
  refuses: [
    [
      [
        [1, 2, 4, 5],
        [1, 3, 2, 3],
      ],
      {},
      "grid does not fit",
    ],
    [
      [
        [1, 2, 4],
        [1, 3, 1],
      ],
      {},
      "grid does not fit",
    ],
    [
      [
        [1, 2, 4, 5],
        [1, 3, 2, 2],
      ],
      { mode: "area" },
      "mode is unknown: expected nearest, linear",
    ],
    [
      [
        [1, 2, 4, 5],
        [1, 3, 2, 2],
      ],
      { padding_mode: "wrap" },
      "padding_mode is unknown",
    ],
  ],
});
