// Operators that only move elements: other shapes, parts, joints, other orders, and images of another size.

import { elementKinds, I32_MAX, I32_MIN } from "../elements";
import { kindOf } from "./elements";
import type { Conversion, Conversions, OperatorSource } from "./source";
import type { Order } from "./values";

const IMAGE = 4;
/** Where an axis of TFLite's order is with channels first. */
const AXES_FIRST = [0, 2, 3, 1];

/** The order that an image is in, and where its axes are then. */
function placed(source: OperatorSource, i: number): { order: Order; axisOf: (axis: number) => number } {
  const rank = source.rank(i);
  const isFirst = rank === IMAGE && source.values.isIn(source.tensor(i), "first");
  return {
    order: isFirst ? "first" : "last",
    axisOf(axis) {
      const whole = axis < 0 ? axis + rank : axis;
      if (!(whole >= 0 && whole < rank))
        throw source.error(`there is no axis ${axis}`, { got: `rank ${rank}` });
      return isFirst ? AXES_FIRST[whole]! : whole;
    },
  };
}

/**
 * A file may write the batch into a shape though it is open: then the shape of the output, which has it open, is the right one.
 */
function reshape(source: OperatorSource): void {
  const open = source.output().shape;
  const known = source.has(1) ? source.constant(1) : undefined;
  const listed = known ? Array.from(known.data) : source.has(1) ? undefined : source.options.ints(0);
  if (!listed) return source.end(source.add("Reshape", [source.real(0), source.real(1)]));
  const isOpen =
    open.filter((dim) => dim === -1).length === 1 && !source.tensor(0).shape.every((n) => n >= 0);
  const shape = isOpen && !listed.includes(-1) ? open : listed;
  const zeros = shape.includes(0) ? { allowzero: 1 } : {};
  source.end(source.add("Reshape", [source.real(0)], { shape: [...shape], ...zeros }));
}

function squeeze(source: OperatorSource): void {
  const rank = source.rank(0);
  const listed = source.options.ints(0).map((axis) => (axis < 0 ? axis + rank : axis));
  const ones = source.tensor(0).shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
  const axes = listed.length > 0 ? listed : ones;
  if (axes.length === 0) return source.end(source.add("Identity", [source.real(0)]));
  source.end(source.add("Squeeze", [source.real(0)], { axes }));
}

function expandDims(source: OperatorSource): void {
  const [axis = 0] = source.numbers(1, "its axis");
  source.end(source.add("Unsqueeze", [source.real(0)], { axes: [axis] }));
}

function transpose(source: OperatorSource): void {
  source.end(source.add("Transpose", [source.real(0)], { perm: source.numbers(1, "the order of axes") }));
}

function concatenation(source: OperatorSource): void {
  const { options, values } = source;
  const all = source.inputs.map((_, i) => source.tensor(i));
  const isFirst =
    source.rank(0) === IMAGE &&
    all.some((tensor) => values.isIn(tensor, "first")) &&
    all.every((tensor) => tensor.shape.length === IMAGE);
  const rank = source.rank(0);
  const axis = options.int(0) < 0 ? options.int(0) + rank : options.int(0);
  const order = isFirst ? "first" : "last";
  const inputs = all.map((_, i) => source.real(i, order));
  const y = source.add("Concat", inputs, { axis: isFirst ? (AXES_FIRST[axis] ?? axis) : axis });
  source.end(source.activated(y, options.byte(1)), order);
}

/** Parts along an axis, each an output. */
function parts(source: OperatorSource, x: number, axis: number, sizes?: readonly number[]): void {
  const { order, axisOf } = placed(source, x);
  const { length } = source.outputs;
  const attributes = { axis: axisOf(axis), ...(sizes ? { split: [...sizes] } : { num_outputs: length }) };
  const made = source.values.push("Split", source.name, [source.real(x, order)], attributes, length);
  for (const [i, part] of made.entries()) source.end(part, order, i);
}

function splitV(source: OperatorSource): void {
  const sizes = source.numbers(1, "the sizes of its parts");
  const [axis = 0] = source.numbers(2, "its axis");
  const rest = sizes.indexOf(-1);
  if (rest < 0) return parts(source, 0, axis, sizes);
  const whole = source.tensor(0).shape.at(axis) ?? -1;
  const others = sizes.reduce((sum, size, i) => (i === rest ? sum : sum + size), 0);
  if (whole < 0) throw source.error("what is left for one part depends on a size that is open");
  parts(source, 0, axis, sizes.with(rest, whole - others));
}

/** A slice: from, to and step of some axes; `I32_MAX` is the end, and below `I32_MIN` what is before the first. */
interface Range {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

function sliced(
  source: OperatorSource,
  i: number,
  ranges: readonly Range[],
): { value: string; order: Order } {
  const { order, axisOf } = placed(source, i);
  const x = source.real(i, order);
  if (ranges.length === 0) return { value: x, order };
  const value = source.add("Slice", [x], {
    starts: ranges.map(({ start }) => start),
    ends: ranges.map(({ end }) => end),
    axes: ranges.map(({ axis }) => axisOf(axis)),
    steps: ranges.map(({ step }) => step),
  });
  return { value, order };
}

/** Begins and sizes, −1 for all that is left. */
function slice(source: OperatorSource): void {
  const begins = source.numbers(1, "where it begins");
  const sizes = source.numbers(2, "its sizes");
  const ranges = begins.map((start, axis) => {
    const size = sizes[axis] ?? -1;
    return { axis, start, end: size < 0 ? I32_MAX : start + size, step: 1 };
  });
  const all = ranges.filter(({ start, end }) => start !== 0 || end !== I32_MAX);
  const { value, order } = sliced(source, 0, all);
  source.end(value, order);
}

const MASKS = { begin: 0, end: 1, ellipsis: 2, added: 3, shrunk: 4, isOffset: 5 };

/** NumPy's indexing, written in masks with a bit for each entry. */
function stridedSlice(source: OperatorSource): void {
  const { options } = source;
  const [begins, ends, steps] = [
    source.numbers(1, "where it begins"),
    source.numbers(2, "where it ends"),
    source.numbers(3, "its steps"),
  ];
  const mask = (id: number, i: number) => ((options.int(id) >> i) & 1) === 1;
  const entries = begins.map((_, i) => i);
  const added = entries.filter((i) => mask(MASKS.added, i)).length;
  const ellipses = entries.filter((i) => mask(MASKS.ellipsis, i)).length;
  const hidden = source.rank(0) - (begins.length - added - ellipses);
  const ranges: Range[] = [];
  /** Of the result before any of them is done: axes that are new, and axes that go. */
  const [news, gone]: [number[], number[]] = [[], []];
  let axis = 0;
  for (const i of entries) {
    if (mask(MASKS.ellipsis, i)) axis += hidden;
    else if (mask(MASKS.added, i)) news.push(axis + news.length - gone.length);
    else {
      const step = steps[i]!;
      const isShrunk = mask(MASKS.shrunk, i);
      const first = step < 0 ? I32_MAX : 0;
      const last = step < 0 ? I32_MIN : I32_MAX;
      const start = mask(MASKS.begin, i) && !isShrunk ? first : begins[i]!;
      const stop = options.bool(MASKS.isOffset) ? begins[i]! + ends[i]! : ends[i]!;
      if (isShrunk) {
        ranges.push({ axis, start, end: start === -1 ? I32_MAX : start + 1, step: 1 });
        gone.push(axis);
      } else {
        const end = mask(MASKS.end, i) ? last : stop;
        if (start !== 0 || end !== I32_MAX || step !== 1) ranges.push({ axis, start, end, step });
      }
      axis++;
    }
  }
  if (gone.length === 0 && news.length === 0) {
    const { value, order } = sliced(source, 0, ranges);
    return source.end(value, order);
  }
  const { value, order } = sliced(source, 0, ranges);
  const plain = order === "last" ? value : source.add("Transpose", [value], { perm: [0, 2, 3, 1] });
  const fewer = gone.length > 0 ? source.add("Squeeze", [plain], { axes: gone }) : plain;
  source.end(news.length > 0 ? source.add("Unsqueeze", [fewer], { axes: news }) : fewer);
}

function reverse(source: OperatorSource): void {
  const ranges = source
    .numbers(1, "its axes")
    .map((axis) => ({ axis, start: I32_MAX, end: I32_MIN, step: -1 }));
  const { value, order } = sliced(source, 0, ranges);
  source.end(value, order);
}

function pack(source: OperatorSource): void {
  const axis = source.options.int(1);
  const rows = source.inputs.map((_, i) => source.add("Unsqueeze", [source.real(i)], { axes: [axis] }));
  source.end(source.add("Concat", rows, { axis }));
}

function unpack(source: OperatorSource): void {
  const axis = source.options.int(1);
  const { length } = source.outputs;
  const made = source.values.push(
    "Split",
    source.name,
    [source.real(0)],
    { axis, num_outputs: length },
    length,
  );
  for (const [i, part] of made.entries())
    source.end(source.add("Squeeze", [part], { axes: [axis] }), "last", i);
}

/** Pads of every axis, before and after, in the order that an input is in. */
function padsOf(source: OperatorSource, axisOf: (axis: number) => number): number[] {
  const rank = source.rank(0);
  const pads = source.numbers(1, "its pads");
  if (pads.length !== 2 * rank)
    throw source.error("its pads do not fit", { expected: `${2 * rank}`, got: `${pads.length}` });
  const own = new Array<number>(2 * rank).fill(0);
  for (let axis = 0; axis < rank; axis++) {
    own[axisOf(axis)] = pads[2 * axis]!;
    own[axisOf(axis) + rank] = pads[2 * axis + 1]!;
  }
  return own;
}

function pad(source: OperatorSource): void {
  const { order, axisOf } = placed(source, 0);
  const value = source.has(2) ? ["", source.real(2)] : [];
  source.end(source.add("Pad", [source.real(0, order), ...value], { pads: padsOf(source, axisOf) }), order);
}

/** Enum MirrorPadMode: the border is not repeated, or is. */
const REFLECT = 0;

function mirrorPad(source: OperatorSource): void {
  const { order, axisOf } = placed(source, 0);
  const pads = padsOf(source, axisOf);
  const x = source.real(0, order);
  if (source.options.byte(0) === REFLECT)
    return source.end(source.add("Pad", [x], { mode: "reflect", pads }), order);
  const { shape } = source.tensor(0);
  const rank = shape.length;
  let value = x;
  for (const [i, dim] of shape.entries()) {
    const axis = axisOf(i);
    const [before, after] = [pads[axis]!, pads[axis + rank]!];
    if (before === 0 && after === 0) continue;
    if (dim < 0 || before < 0 || after < 0 || before > dim || after > dim)
      throw source.error("its pads do not fit the size", {
        expected: "0 to the size",
        got: `${before}, ${after}`,
      });
    const indices = Array.from({ length: before + dim + after }, (_, at) => {
      const from = at - before;
      return from < 0 ? -from - 1 : from < dim ? from : 2 * dim - 1 - from;
    });
    value = source.add("Gather", [value, source.list(indices)], { axis });
  }
  source.end(value, order);
}

function gather(source: OperatorSource): void {
  const [axis, batches] = [source.options.int(0), source.options.int(1)];
  if (batches !== 0) throw source.error("batch_dims does not fit", { expected: "0", got: `${batches}` });
  source.end(source.add("Gather", [source.real(0), source.real(1)], { axis }));
}

/** Both are ways to name a coordinate of the input; TFLite takes the element below it. */
function resize(source: OperatorSource, mode: "linear" | "nearest", aligned: number): void {
  const { options } = source;
  const [height = 0, width = 0] = source.numbers(1, "the output's size");
  const [isAligned, isHalf] = [options.bool(aligned), options.bool(aligned + 1)];
  const coordinates = isAligned ? "align_corners" : isHalf ? "half_pixel" : "asymmetric";
  const rounding = isAligned || isHalf ? "round_prefer_ceil" : "floor";
  const y = source.add("Resize", [source.real(0, "first")], {
    ...(mode === "linear" ? { mode } : {}),
    coordinate_transformation_mode: coordinates,
    ...(mode === "nearest" ? { nearest_mode: rounding } : {}),
    axes: [2, 3],
    sizes: [height, width],
  });
  source.end(y, "first");
}

const blocks =
  (op: string, attributes: Readonly<Record<string, string>> = {}): Conversion =>
  (source) => {
    const own = { blocksize: source.options.int(0), ...attributes };
    source.end(source.add(op, [source.real(0, "first")], own), "first");
  };

/** An op that takes the same inputs, some of which may be computed. */
const same =
  (op: string, count: number): Conversion =>
  (source) =>
    source.end(
      source.add(
        op,
        Array.from({ length: count }, (_, i) => source.real(i)),
      ),
    );

function oneHot(source: OperatorSource): void {
  const pair = [source.real(3), source.real(2)].map((value) =>
    source.add("Reshape", [value], { shape: [1] }),
  );
  const values = source.add("Concat", pair, { axis: 0 });
  const axis = source.options.int(0, -1);
  source.end(source.add("OneHot", [source.real(0), source.real(1), values], { axis }));
}

function topK(source: OperatorSource): void {
  const k = source.add("Reshape", [source.real(1)], { shape: [1] });
  const made = source.values.push("TopK", source.name, [source.real(0), k], { axis: -1 }, 2);
  for (const [i, part] of made.entries()) if (source.outputs[i]) source.end(part, "last", i);
}

/** Zeros of a tensor's shape. */
function zerosLike(source: OperatorSource): void {
  const kind = kindOf(source.tensor(0));
  const shape = source.add("Shape", [source.real(0)]);
  const dtype = kind === undefined || source.tensor(0).quantization ? "f32" : elementKinds[kind].dtype;
  source.end(source.add("ConstantOfShape", [shape], { dtype, value: 0 }));
}

function reverseSequence(source: OperatorSource): void {
  const [time_axis, batch_axis] = [source.options.int(0), source.options.int(1)];
  source.end(source.add("ReverseSequence", [source.real(0), source.real(1)], { time_axis, batch_axis }));
}

export const moves: Conversions = {
  BROADCAST_TO: same("Expand", 2),
  CONCATENATION: concatenation,
  DEPTH_TO_SPACE: blocks("DepthToSpace", { mode: "DCR" }),
  EMBEDDING_LOOKUP: (source) =>
    source.end(source.add("Gather", [source.real(1), source.real(0)], { axis: 0 })),
  EXPAND_DIMS: expandDims,
  FILL: (source) => source.end(source.add("Expand", [source.real(1), source.real(0)])),
  GATHER: gather,
  GATHER_ND: same("GatherND", 2),
  MIRROR_PAD: mirrorPad,
  ONE_HOT: oneHot,
  PACK: pack,
  PAD: pad,
  PADV2: pad,
  RANGE: same("Range", 3),
  RANK: (source) => source.end(source.add("Size", [source.add("Shape", [source.real(0)])])),
  RESHAPE: reshape,
  RESIZE_BILINEAR: (source) => resize(source, "linear", 2),
  RESIZE_NEAREST_NEIGHBOR: (source) => resize(source, "nearest", 0),
  REVERSE_SEQUENCE: reverseSequence,
  REVERSE_V2: reverse,
  SHAPE: same("Shape", 1),
  SLICE: slice,
  SPACE_TO_DEPTH: blocks("SpaceToDepth"),
  SPLIT: (source) => parts(source, 1, source.numbers(0, "its axis")[0] ?? 0),
  SPLIT_V: splitV,
  SQUEEZE: squeeze,
  STRIDED_SLICE: stridedSlice,
  TILE: same("Tile", 2),
  TOPK_V2: topK,
  TRANSPOSE: transpose,
  UNPACK: unpack,
  ZEROS_LIKE: zerosLike,
};
