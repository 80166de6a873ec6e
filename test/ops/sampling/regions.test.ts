import { numberAttribute } from "../../reference/node";
import type { Forward } from "../../reference/oracle";
import { fed, testOp } from "../test-op";

const rowAt = (index: number, extent: number) =>
  Math.max(0, Math.min(index < 0 ? index + extent : index, extent - 1));

const align: Forward = (node, [x, rois, images]) => {
  const [n, channels, height, width] = x!.shape as [number, number, number, number];
  const { mode = "avg", coordinate_transformation_mode: coordinates = "half_pixel" } = node.attributes;
  const [outH, outW] = ["output_height", "output_width"].map((name) => numberAttribute(node, name, 1)) as [
    number,
    number,
  ];
  const ratio = numberAttribute(node, "sampling_ratio", 0);
  const scale = numberAttribute(node, "spatial_scale", 1);
  const shift = coordinates === "half_pixel" ? 0.5 : 0;
  const parts = (plane: number, fy: number, fx: number): number[] => {
    if (fy < -1 || fy > height || fx < -1 || fx > width) return [0, 0, 0, 0];
    const [v, u] = [Math.max(fy, 0), Math.max(fx, 0)];
    const [top, left] = [Math.min(Math.floor(v), height - 1), Math.min(Math.floor(u), width - 1)];
    const [bottom, right] = [Math.min(top + 1, height - 1), Math.min(left + 1, width - 1)];
    const [down, across] = [bottom === top ? 0 : v - top, right === left ? 0 : u - left];
    const at = (row: number, col: number) => x!.data[(plane * height + row) * width + col]!;
    return [
      (1 - down) * (1 - across) * at(top, left),
      (1 - down) * across * at(top, right),
      down * (1 - across) * at(bottom, left),
      down * across * at(bottom, right),
    ];
  };
  const data = Float64Array.from({ length: rois!.shape[0]! * channels * outH * outW }, (_, at) => {
    const [j, i] = [at % outW, Math.floor(at / outW) % outH];
    const [c, r] = [Math.floor(at / outW / outH) % channels, Math.floor(at / outW / outH / channels)];
    const [left, top, right, bottom] = [0, 1, 2, 3].map((k) => rois!.data[4 * r + k]! * scale - shift) as [
      number,
      number,
      number,
      number,
    ];
    const least = shift === 0 ? 1 : -Infinity;
    const [binH, binW] = [Math.max(bottom - top, least) / outH, Math.max(right - left, least) / outW];
    const [rows, cols] = [binH, binW].map((bin) => ratio || Math.max(0, Math.ceil(bin))) as [number, number];
    const samples: number[] = [];
    for (let a = 0; a < rows; a++)
      for (let b = 0; b < cols; b++) {
        const [fy, fx] = [top + (i + (a + 0.5) / rows) * binH, left + (j + (b + 0.5) / cols) * binW];
        const own = parts(rowAt(images!.data[r]!, n) * channels + c, fy, fx);
        samples.push(mode === "max" ? Math.max(...own) : own.reduce((s, v) => s + v));
      }
    if (samples.length === 0) return 0;
    return mode === "max" ? Math.max(...samples) : samples.reduce((s, v) => s + v) / samples.length;
  });
  return [{ shape: [rois!.shape[0]!, channels, outH, outW], data }];
};

const boxes = [0, 0, 5, 4, 1.2, 0.7, 3.9, 3.1, -2, -3, 9, 9, 4, 3, 1, 1, 2, 2, 2, 2];
const regions = [fed("f32", [5, 4], boxes), fed("i32", [5], [0, 1, 1, 0, 1])] as const;
const image = [2, 3, 6, 7];

testOp("RoiAlign", {
  oracle: { forward: align },
  gradient: "none",
  cases: [
    { inputs: [image, ...regions], attributes: { output_height: 2, output_width: 3 } },
    ...["half_pixel", "output_half_pixel"].flatMap((coordinate_transformation_mode) =>
      ["avg", "max"].map((mode) => ({
        inputs: [image, ...regions],
        attributes: {
          mode,
          coordinate_transformation_mode,
          output_height: 3,
          output_width: 2,
          sampling_ratio: 2,
          spatial_scale: 0.75,
        },
      })),
    ),
    { inputs: [image, ["batch", 4], fed("i32", ["batch"])], attributes: { sampling_ratio: 1 }, from: [0, 5] },
  ],
  refuses: [
    [
      [image, [2, 5], fed("i32", [2])],
      {},
      "images or regions do not fit: expected [n, c, h, w] and [regions, 4]",
    ],
    [[image, [2, 4], fed("i32", [3])], {}, "input 2 does not fit: expected i32 [2]"],
    [[image, [2, 4], fed("i32", [2])], { mode: "min" }, "mode is unknown: expected avg, max"],
    [[image, [2, 4], fed("i32", [2])], { output_height: 0 }, "output_height does not fit"],
    [[image, [2, 4], fed("i32", [2])], { coordinate_transformation_mode: "x" }, "is unknown"],
  ],
});

const round = (v: number) => Math.sign(v) * Math.floor(Math.abs(v) + 0.5);

const pool: Forward = (node, [x, rois]) => {
  const [n, channels, height, width] = x!.shape as [number, number, number, number];
  const [outH, outW] = node.attributes.pooled_shape as [number, number];
  const scale = numberAttribute(node, "spatial_scale", 1);
  const data = Float64Array.from({ length: rois!.shape[0]! * channels * outH * outW }, (_, at) => {
    const [j, i] = [at % outW, Math.floor(at / outW) % outH];
    const [c, r] = [Math.floor(at / outW / outH) % channels, Math.floor(at / outW / outH / channels)];
    const [left, top, right, bottom] = [1, 2, 3, 4].map((k) => round(rois!.data[5 * r + k]! * scale)) as [
      number,
      number,
      number,
      number,
    ];
    const bin = [Math.max(bottom - top + 1, 1) / outH, Math.max(right - left + 1, 1) / outW] as const;
    const bound = (v: number, most: number) => Math.max(0, Math.min(v, most));
    const rows = [Math.floor(i * bin[0]), Math.ceil((i + 1) * bin[0])].map((v) => bound(top + v, height));
    const cols = [Math.floor(j * bin[1]), Math.ceil((j + 1) * bin[1])].map((v) => bound(left + v, width));
    const plane = rowAt(round(rois!.data[5 * r]!), n) * channels + c;
    let most = -Infinity;
    for (let row = rows[0]!; row < rows[1]!; row++)
      for (let col = cols[0]!; col < cols[1]!; col++)
        most = Math.max(most, x!.data[(plane * height + row) * width + col]!);
    return most === -Infinity ? 0 : most;
  });
  return [{ shape: [rois!.shape[0]!, channels, outH, outW], data }];
};

const numbered = [0, 1, 1, 0, 1].flatMap((of, r) => [of, ...boxes.slice(4 * r, 4 * r + 4)]);

testOp("MaxRoiPool", {
  oracle: { forward: pool },
  gradient: "none",
  cases: [
    { inputs: [image, fed("f32", [5, 5], numbered)], attributes: { pooled_shape: [2, 2] } },
    {
      inputs: [image, fed("f32", [5, 5], numbered)],
      attributes: { pooled_shape: [3, 1], spatial_scale: 0.5 },
    },
    { inputs: [image, ["batch", 5]], attributes: { pooled_shape: [2, 3] }, from: [0, 1] },
  ],
  refuses: [
    [[image, [2, 4]], { pooled_shape: [1, 1] }, "images or regions do not fit"],
    [[image, [2, 5]], {}, "pooled_shape does not fit"],
    [
      [image, [2, 5]],
      { pooled_shape: [1, 0] },
      "pooled_shape does not fit: expected whole numbers ≥ 1, got 0",
    ],
  ],
});
