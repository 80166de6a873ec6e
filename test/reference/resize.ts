// Resize to the nearest element (ONNX Resize-19): every output coordinate is brought to the input's, then rounded.

import { allocate, sizeOf } from "../../src/graph/tensor";
import { axisOf, fail, listAttribute, need, type Operator, stringAttribute } from "./node";
import { stridesOf } from "./view";

/** Coordinate in the input of index i of n, the input having d, stretched by `scale`. */
export const coordinates: Readonly<
  Record<string, (i: number, scale: number, n: number, d: number) => number>
> = {
  asymmetric: (i, scale) => i / scale,
  half_pixel: (i, scale) => (i + 0.5) / scale - 0.5,
  half_pixel_symmetric: (i, scale, n, d) => {
    const adjustment = n / (scale * d);
    return (d / 2) * (1 - adjustment) + (i + 0.5) / scale - 0.5;
  },
  pytorch_half_pixel: (i, scale, n) => (n > 1 ? (i + 0.5) / scale - 0.5 : 0),
  align_corners: (i, _, n, d) => (n > 1 ? (i * (d - 1)) / (n - 1) : 0),
};

const roundings: Readonly<Record<string, (at: number, scale: number) => number>> = {
  round_prefer_floor: (at) => Math.ceil(at - 0.5),
  round_prefer_ceil: (at) => Math.floor(at + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
  ceil_if_shorter: (at, scale) => (scale < 1 ? Math.ceil(at) : Math.floor(at)),
};

export const resize: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const list = (name: string, input: number) =>
    listAttribute(node, name) ?? Array.from(inputs[input]?.data ?? []);
  const [scales, sizes] = [list("scales", 2), list("sizes", 3)];
  const axes = (listAttribute(node, "axes") ?? x.shape.map((_, d) => d)).map((d) =>
    axisOf(node, d, x.shape.length),
  );
  const mode = stringAttribute(node, "coordinate_transformation_mode", "half_pixel");
  const coordinate = coordinates[mode] ?? fail(node, `no coordinates ${mode}`);
  const round = roundings[stringAttribute(node, "nearest_mode", "round_prefer_floor")]!;
  const ratios = axes.map((d, i) => sizes[i]! / x.shape[d]!);
  const policy = stringAttribute(node, "keep_aspect_ratio_policy", "stretch");
  const keep = policy === "not_larger" ? Math.min : policy === "not_smaller" ? Math.max : undefined;
  const common = keep?.(...ratios);
  const sources = x.shape.map((dim, d) => {
    const i = axes.indexOf(d);
    const scale = i < 0 ? 1 : (common ?? scales[i] ?? sizes[i]! / dim);
    const kept = common === undefined ? sizes[i] : Math.floor(dim * scale + 0.5);
    const n = i < 0 ? dim : (kept ?? Math.floor(Math.fround(dim * scale)));
    const source = (at: number) =>
      Math.min(dim - 1, Math.max(0, round(coordinate(at, scale, n, dim), scale)));
    return Array.from({ length: n }, (_, at) => source(at));
  });
  const shape = sources.map((list) => list.length);
  const [from, to] = [stridesOf(x.shape), stridesOf(shape)];
  const data = allocate(x.dtype, sizeOf(shape));
  for (let i = 0; i < data.length; i++) {
    const at = shape.reduce((sum, n, d) => sum + sources[d]![Math.floor(i / to[d]!) % n]! * from[d]!, 0);
    data[i] = x.data[at]!;
  }
  return { dtype: x.dtype, shape, data };
};
