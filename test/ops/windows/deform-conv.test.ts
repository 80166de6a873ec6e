import { numberAttribute } from "../../reference/node";
import type { Forward } from "../../reference/oracle";
import { constant, testOp } from "../test-op";

/** Every tap's pixel, interpolated, times its weight. */
const forward: Forward = (node, [x, w, offsets, bias, mask]) => {
  const list = (name: string, otherwise: readonly number[]) =>
    (node.attributes[name] ?? otherwise) as number[];
  const [images, channels, height, width] = x!.shape as [number, number, number, number];
  const [outputs, own, kh, kw] = w!.shape as [number, number, number, number];
  const [outH, outW] = offsets!.shape.slice(2) as [number, number];
  const [sy, sx] = list("strides", [1, 1]);
  const [dy, dx] = list("dilations", [1, 1]);
  const [top, left] = list("pads", [0, 0, 0, 0]);
  const groups = numberAttribute(node, "offset_group", 1);
  const perGroup = outputs / numberAttribute(node, "group", 1);
  const taps = kh * kw;
  const y = new Float64Array(images * outputs * outH * outW);
  const at = (n: number, c: number, r: number, p: number) =>
    r >= 0 && p >= 0 && r < height && p < width ? x!.data[((n * channels + c) * height + r) * width + p]! : 0;
  for (let i = 0; i < y.length; i++) {
    const [ox, oy] = [i % outW, Math.floor(i / outW) % outH];
    const [o, n] = [Math.floor(i / outW / outH) % outputs, Math.floor(i / outW / outH / outputs)];
    let sum = bias?.data[o] ?? 0;
    for (let k = 0; k < own; k++)
      for (let t = 0; t < taps; t++) {
        const c = Math.floor(o / perGroup) * own + k;
        const g = Math.floor((c * groups) / channels);
        const place = (part: number, parts: number) =>
          (((n * groups + g) * taps + t) * parts + part) * outH * outW + oy * outW + ox;
        const fy = oy * sy! - top! + Math.floor(t / kw) * dy! + offsets!.data[place(0, 2)]!;
        const fx = ox * sx! - left! + (t % kw) * dx! + offsets!.data[place(1, 2)]!;
        const [r, p] = [Math.floor(fy), Math.floor(fx)];
        const [down, right] = [fy - r, fx - p];
        const upper = (1 - right) * at(n, c, r, p) + right * at(n, c, r, p + 1);
        const lower = (1 - right) * at(n, c, r + 1, p) + right * at(n, c, r + 1, p + 1);
        const value = (1 - down) * upper + down * lower;
        sum += value * (mask?.data[place(0, 1)] ?? 1) * w!.data[(o * own + k) * taps + t]!;
      }
    y[i] = sum;
  }
  return [{ shape: [images, outputs, outH, outW], data: y }];
};

const image = ["batch", 6, 5, 7];

testOp("DeformConv", {
  oracle: { forward },
  gradient: "none",
  cases: [
    {
      inputs: [image, constant([8, 6, 3, 3]), ["batch", 18, 5, 7], constant([8]), ["batch", 9, 5, 7]],
      attributes: { pads: [1, 1, 1, 1], kernel_shape: [3, 3] },
    },
    {
      inputs: [image, [4, 3, 2, 2], ["batch", 24, 2, 3]],
      attributes: { group: 2, offset_group: 3, strides: [2, 2] },
      fused: "Relu",
    },
    {
      inputs: [["batch", 5, 5, 5], constant([3, 5, 2, 2]), ["batch", 8, 3, 3], [3]],
      attributes: { dilations: [2, 2] },
    },
  ],
  refuses: [
    [
      [
        [1, 6, 5, 7],
        [4, 6, 2, 2],
        [1, 7, 4, 6],
      ],
      {},
      "input 2 does not fit",
    ],
    [
      [
        [1, 6, 5],
        [4, 6, 2],
        [1, 4, 4],
      ],
      {},
      "only images are deformed",
    ],
  ],
});
