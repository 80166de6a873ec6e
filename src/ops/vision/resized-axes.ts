// Where the elements of a resized value come from, axis by axis: what Resize and Interpolate share. ONNX Resize-19.

import type { Node } from "../../graph/graph";
import { type Dim, multiplyDims, type Shape, scaleDims } from "../../graph/symbols";
import { axesOf, dimsOf } from "../axes";
import { numberOf, numbersOf, opError, stringOf } from "../op";
import { SizesNeeded, sizesIn } from "../sizes";

/** An axis that changes: `scale` times as long, or the part of it between two ends, both counted from 0 to 1. */
export interface ResizedAxis {
  readonly axis: number;
  readonly from: Dim;
  readonly to: Dim;
  readonly scale: number;
  readonly part: readonly [start: number, end: number];
}

/** The sizes that an axis is brought to, as weighted windows: element j is Σ weights[j·taps + t] · x[starts[j] + t]. */
export interface Windows {
  readonly taps: number;
  readonly starts: Int32Array;
  readonly weights: Float32Array;
  /** Runs of elements that lie outside of the input. */
  readonly outside: readonly (readonly [begin: number, end: number])[];
}

type Coordinate = (i: number, axis: ResizedAxis, from: number, to: number) => number;

const halfPixel: Coordinate = (i, { scale }) => (i + 0.5) / scale - 0.5;

/** Where an element of the output lies among those of the input. */
const coordinates: Readonly<Record<string, Coordinate>> = {
  asymmetric: (i, { scale }) => i / scale,
  half_pixel: halfPixel,
  half_pixel_symmetric: (i, axis, from, to) =>
    (from / 2) * (1 - to / (axis.scale * from)) + halfPixel(i, axis, from, to),
  pytorch_half_pixel: (i, axis, from, to) => (to > 1 ? halfPixel(i, axis, from, to) : 0),
  align_corners: (i, _, from, to) => (to > 1 ? (i * (from - 1)) / (to - 1) : 0),
  tf_half_pixel_for_nn: (i, { scale }) => (i + 0.5) / scale,
  tf_crop_and_resize: (i, { part: [start, end] }, from, to) =>
    (to > 1 ? start + (i * (end - start)) / (to - 1) : (start + end) / 2) * (from - 1),
};

/** Which element is nearest to a place between two. The last one is of ONNX before opset 11, as ONNX Runtime has it. */
const roundings: Readonly<Record<string, (at: number, scale: number) => number>> = {
  round_prefer_floor: (at) => Math.ceil(at - 0.5),
  round_prefer_ceil: (at) => Math.floor(at + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
  ceil_if_shorter: (at, scale) => (scale < 1 ? Math.ceil(at) : Math.floor(at)),
};

const policies: Readonly<Record<string, ((ratios: readonly number[]) => number) | undefined>> = {
  stretch: undefined,
  not_larger: (ratios) => Math.min(...ratios),
  not_smaller: (ratios) => Math.max(...ratios),
};

/** The entry of a table that an attribute names. */
function named<T>(node: Node, attribute: string, otherwise: string, table: Readonly<Record<string, T>>): T {
  const name = stringOf(node, attribute, otherwise);
  if (Object.hasOwn(table, name)) return table[name]!;
  throw opError(node, `${attribute} is unknown`, { expected: Object.keys(table).join(", "), got: name });
}

const CROP = "tf_crop_and_resize";
const coordinateOf = (node: Node) => named(node, "coordinate_transformation_mode", "half_pixel", coordinates);
const isCrop = (node: Node) => node.attributes.coordinate_transformation_mode === CROP;

const whereOf = ({ op, name }: Node) => `${op} "${name}"`;

/** ⌊dim · scale⌋, as f32 has it. */
function scaled(node: Node, dim: Dim, scale: number): Dim {
  if (!(scale > 0)) throw opError(node, "a scale is not above 0", { got: `${scale}` });
  return typeof dim === "string" && Number.isInteger(scale)
    ? multiplyDims(dim, scale)
    : scaleDims(dim, scale);
}

/** All axes, those that stay as they are among them. */
export function resizedAxes(node: Node, shape: Shape): ResizedAxis[] {
  const axes = axesOf(node, shape.length) ?? shape.map((_, axis) => axis);
  const [scales, sizes, roi] = [
    numbersOf(node, "scales", []),
    dimsOf(node, "sizes") ?? [],
    numbersOf(node, "roi", []),
  ];
  coordinateOf(node);
  const policy = named(node, "keep_aspect_ratio_policy", "stretch", policies);
  const given = scales.length > 0 ? scales : sizes;
  if (given.length !== axes.length || (scales.length > 0 && sizes.length > 0))
    throw opError(node, "scales and sizes do not fit", {
      expected: `${axes.length} scales or sizes`,
      got: `${scales.length} scales and ${sizes.length} sizes`,
    });
  if (isCrop(node) && roi.length !== 2 * axes.length)
    throw opError(node, "roi does not fit", { expected: `${2 * axes.length} numbers`, got: `${roi.length}` });
  const ratio = (i: number) => {
    const [size, dim] = [sizes[i]!, shape[axes[i]!]!];
    if (size === dim) return 1;
    if (typeof size === "number" && typeof dim === "number") return size / dim;
    return Number.NaN;
  };
  const common = scales.length === 0 ? policy?.(axes.map((_, i) => ratio(i))) : undefined;
  return shape.map((from, axis) => {
    const i = axes.indexOf(axis);
    if (i < 0) return { axis, from, to: from, scale: 1, part: [0, 1] };
    const part = isCrop(node) ? ([roi[i]!, roi[i + axes.length]!] as const) : ([0, 1] as const);
    const scale = common ?? scales[i] ?? ratio(i);
    if (common === undefined)
      return { axis, from, to: scales.length > 0 ? scaled(node, from, scale) : sizes[i]!, scale, part };
    if (typeof from !== "number" || Number.isNaN(common)) throw new SizesNeeded(whereOf(node), shape);
    return { axis, from, to: Math.floor(common * from + 0.5), scale, part };
  });
}

/** Whether every element stays where it is. */
export const isStill = ({ from, to, scale, part: [start, end] }: ResizedAxis): boolean =>
  from === to && scale === 1 && start === 0 && end === 1;

export const resizedShape = (node: Node, shape: Shape): Dim[] => resizedAxes(node, shape).map(({ to }) => to);

/** Weights of the neighbours of a place: those from `first` on. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/** The triangle of width 2. */
const triangle = (at: number) => Math.max(0, 1 - Math.abs(at));

/** Keys' cubic of width 4. */
function cubic(a: number, at: number): number {
  const d = Math.abs(at);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

const filters: Readonly<Record<string, readonly [reach: number, of: (a: number, at: number) => number]>> = {
  linear: [1, (_, at) => triangle(at)],
  cubic: [2, cubic],
};

/** The neighbours of each place; `nearest` is a mode of one neighbour. */
function tapsOf(node: Node, mode: string, scale: number): (at: number) => Taps {
  if (mode === "nearest") {
    const round = named(node, "nearest_mode", "round_prefer_floor", roundings);
    // Of a place that begins as a quotient of f32: a scale that is not exact must not move halves.
    return (at) => ({ first: round(Math.fround(at + 0.5) - 0.5, scale), weights: [1] });
  }
  const [reach, filter] = named(node, "mode", "linear", filters);
  const a = numberOf(node, "cubic_coeff_a", -0.75);
  const squeeze = numberOf(node, "antialias", 0) === 0 ? 1 : Math.min(1, scale);
  const before = Math.floor(-reach / squeeze) + 1;
  return (at) => {
    const floor = Math.floor(at);
    const values = Array.from({ length: 2 - 2 * before }, (_, k) =>
      filter(a, (before + k - (at - floor)) * squeeze),
    );
    const sum = squeeze === 1 ? 1 : values.reduce((x, y) => x + y, 0);
    return { first: floor + before, weights: values.map((value) => value / sum) };
  };
}

/** Whether element j of the output is element ⌊j / scale⌋ of the input, as the nearest is found. */
export function repeatsEach(node: Node, axis: ResizedAxis): boolean {
  const { from, to, scale } = axis;
  if (!Number.isInteger(scale) || typeof from !== "number" || from * scale !== to || isCrop(node))
    return false;
  const [place, neighbours] = [coordinateOf(node), tapsOf(node, "nearest", scale)];
  const source = (j: number) => Math.min(from - 1, Math.max(0, neighbours(place(j, axis, from, to)).first));
  // Places grow with j: what holds for the first and the last element holds between them.
  return [0, scale - 1].every((j) => [0, from - 1].every((at) => source(at * scale + j) === at));
}

/** Weights of an axis: far above any image's. */
const MAX_WEIGHTS = 2 ** 26;

/** The windows of an axis whose sizes are numbers. */
export function windowsOf(node: Node, mode: string, axis: ResizedAxis): Windows {
  const [from, to] = sizesIn(whereOf(node), [axis.from, axis.to]) as [number, number];
  const place = coordinateOf(node);
  const neighbours = tapsOf(node, mode, axis.scale);
  const keepsInside = numberOf(node, "exclude_outside", 0) !== 0;
  const crops = isCrop(node);
  const taps = Math.min(neighbours(0).weights.length, from);
  if (to * taps > MAX_WEIGHTS)
    throw opError(node, "an axis has too many weights", {
      expected: `at most ${MAX_WEIGHTS}`,
      got: `${to * taps}`,
    });
  const starts = new Int32Array(to);
  const weights = new Float32Array(to * taps);
  const outside: [number, number][] = [];
  for (let j = 0; j < to; j++) {
    const at = place(j, axis, from, to);
    if (crops && !(at >= 0 && at <= from - 1)) {
      if (outside.at(-1)?.[1] === j) outside.at(-1)![1] = j + 1;
      else outside.push([j, j + 1]);
      continue;
    }
    const { first, weights: own } = neighbours(at);
    const isIn = (i: number) => i >= 0 && i < from;
    const sum = keepsInside ? own.reduce((n, w, k) => (isIn(first + k) ? n + w : n), 0) : 1;
    const start = Math.max(0, Math.min(first, from - taps));
    const window = new Float64Array(taps);
    for (const [k, w] of own.entries()) {
      if (keepsInside && !isIn(first + k)) continue;
      window[Math.max(0, Math.min(first + k, from - 1)) - start]! += w / sum;
    }
    starts[j] = start;
    weights.set(window, j * taps);
  }
  return { taps, starts, weights, outside };
}

/** Windows over the output, whose weighted sums are what each element of the input gave to it. */
export function turnedWindows({ taps, starts, weights }: Windows, from: number): Windows {
  const to = starts.length;
  const ends = Array.from({ length: from }, () => [to, 0] as [number, number]);
  const each = (visit: (i: number, j: number, weight: number) => void) => {
    for (let j = 0; j < to; j++)
      for (let t = 0; t < taps; t++) {
        const weight = weights[j * taps + t]!;
        if (weight !== 0) visit(starts[j]! + t, j, weight);
      }
  };
  each((i, j) => {
    ends[i] = [Math.min(ends[i]![0], j), Math.max(ends[i]![1], j + 1)];
  });
  const width = Math.max(1, ...ends.map(([begin, end]) => end - begin));
  const firsts = Int32Array.from(ends, ([begin]) => Math.max(0, Math.min(begin, to - width)));
  const turned = new Float32Array(from * width);
  each((i, j, weight) => {
    turned[i * width + j - firsts[i]!]! += weight;
  });
  return { taps: width, starts: firsts, weights: turned, outside: [] };
}
