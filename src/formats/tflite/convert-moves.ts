// Operators that only move elements: other shapes, other orders, pads, elements by their indices, and images of another size. Those
// that cut and join are in convert-parts.ts.

import { type DType, tensor as tensorOf } from "../../graph/tensor";
import { elementKinds } from "../elements";
import { placed } from "./convert-parts";
import { kindOf } from "./elements";
import type { TfliteTensor } from "./schema";
import type { Conversion, Conversions, OperatorSource } from "./source";

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
  const [op, own] =
    mode === "linear"
      ? (["Interpolate", { mode }] as const)
      : (["Resize", { nearest_mode: rounding }] as const);
  const y = source.add(op, [source.real(0, "first")], {
    ...own,
    coordinate_transformation_mode: coordinates,
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

/** The type of a tensor's elements where codes are real numbers. */
function typeOf(tensor: TfliteTensor): DType {
  const kind = kindOf(tensor);
  return kind === undefined || tensor.quantization ? "f32" : elementKinds[kind].dtype;
}

/** Zeros of a tensor's shape. */
function zerosLike(source: OperatorSource): void {
  const shape = source.add("Shape", [source.real(0)]);
  source.end(source.add("ConstantOfShape", [shape], { dtype: typeOf(source.tensor(0)), value: 0 }));
}

function reverseSequence(source: OperatorSource): void {
  const [time_axis, batch_axis] = [source.options.int(0), source.options.int(1)];
  source.end(source.add("ReverseSequence", [source.real(0), source.real(1)], { time_axis, batch_axis }));
}

/** Zeros of a shape, to which slices are added at places of it. */
function scattered(source: OperatorSource, shape: string, indices: string, updates: string): void {
  const zeros = source.add("ConstantOfShape", [shape], { dtype: typeOf(source.output()), value: 0 });
  source.end(source.add("ScatterND", [zeros, indices, updates], { reduction: "add" }));
}

const scatterND: Conversion = (source) => scattered(source, source.real(2), source.real(0), source.real(1));

/** Sums of rows by the segments that they are of, whose ids ascend. */
function segmentSum(source: OperatorSource): void {
  const ids = source.numbers(1, "its segments");
  const count = (ids.at(-1) ?? -1) + 1;
  const rest = source.tensor(0).shape.slice(1);
  if (rest.includes(-1)) throw source.error("sizes behind the first are open");
  const indices = source.add("Unsqueeze", [source.list(ids)], { axes: [1] });
  scattered(source, source.list([count, ...rest]), indices, source.real(0));
}

/** Indices of elements that are not zero, one a row. */
function where(source: OperatorSource): void {
  const columns = source.add("NonZero", [source.real(0)]);
  source.end(source.add("Transpose", [columns], { perm: [1, 0] }));
}

/** Vectors as the diagonals of matrices of zeros. */
function matrixDiag(source: OperatorSource): void {
  const size = source.tensor(0).shape.at(-1) ?? -1;
  if (size < 0) throw source.error("the size of its diagonal is open");
  const square = source.add("ConstantOfShape", [source.list([size, size])], { dtype: "bool", value: 0 });
  const isOn = source.add("EyeLike", [square]);
  const rows = source.add("Unsqueeze", [source.real(0)], { axes: [-1] });
  const zero = source.values.hold(`${source.name}_zero`, tensorOf(typeOf(source.tensor(0)), [], [0]));
  source.end(source.add("Where", [isOn, rows, zero]));
}

export const moves: Conversions = {
  BROADCAST_TO: same("Expand", 2),
  DEPTH_TO_SPACE: blocks("DepthToSpace", { mode: "DCR" }),
  EMBEDDING_LOOKUP: (source) =>
    source.end(source.add("Gather", [source.real(1), source.real(0)], { axis: 0 })),
  EXPAND_DIMS: expandDims,
  FILL: (source) => source.end(source.add("Expand", [source.real(1), source.real(0)])),
  GATHER: gather,
  GATHER_ND: same("GatherND", 2),
  MATRIX_DIAG: matrixDiag,
  MIRROR_PAD: mirrorPad,
  ONE_HOT: oneHot,
  PAD: pad,
  PADV2: pad,
  RANGE: same("Range", 3),
  RANK: (source) => source.end(source.add("Size", [source.add("Shape", [source.real(0)])])),
  RESHAPE: reshape,
  RESIZE_BILINEAR: (source) => resize(source, "linear", 2),
  RESIZE_NEAREST_NEIGHBOR: (source) => resize(source, "nearest", 0),
  REVERSE_SEQUENCE: reverseSequence,
  SCATTER_ND: scatterND,
  SEGMENT_SUM: segmentSum,
  SHAPE: same("Shape", 1),
  SPACE_TO_DEPTH: blocks("SpaceToDepth"),
  SQUEEZE: squeeze,
  TILE: same("Tile", 2),
  TOPK_V2: topK,
  TRANSPOSE: transpose,
  WHERE: where,
  ZEROS_LIKE: zerosLike,
};
