// Broadcasting of elementwise ops with two inputs: numpy's rule for shapes, and the strides kernels walk by.

import type { Node, ValueType } from "../graph/graph";
import { bothDims, type Dim, formatShape, multiplyDims, type Shape } from "../graph/symbols";
import { sizeOf } from "../graph/tensor";
import { flatChannels } from "./layout";
import { inputType, type Known, type Layout, type Op, opError } from "./op";
import { sizesIn } from "./sizes";

/** Shape of a op b. Sizes that symbols decide are taken to fit: where they do not, a plan for them is refused. */
export function broadcastShapes(node: Node, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [p, q] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (p === q || p === 1 || q === 1 || typeof p === "string" || typeof q === "string")
      return bothDims(p, q);
    throw opError(node, "shapes do not broadcast", {
      expected: "dimensions that are equal or 1, from the right",
      got: `${formatShape(a)} and ${formatShape(b)}`,
    });
  });
}

/** Type of what is computed of so many values of one dtype. */
export function broadcastTypes(
  node: Node,
  inputs: readonly (ValueType | undefined)[],
  count: number,
): ValueType {
  const [first, ...rest] = Array.from({ length: count }, (_, i) => inputType(node, inputs, i)) as [ValueType];
  return rest.reduce((a: ValueType, b: ValueType) => {
    if (a.dtype !== b.dtype)
      throw opError(node, "element types differ", {
        expected: "two of a kind",
        got: `${a.dtype} and ${b.dtype}`,
      });
    return { dtype: a.dtype, shape: broadcastShapes(node, a.shape, b.shape) };
  }, first);
}

/** Whether a shape broadcasts to another. */
export const isWithin = (shape: Shape, to: Shape): boolean =>
  shape.length <= to.length && shape.every((dim, i) => dim === 1 || dim === to[i + to.length - shape.length]);

/** Elementwise evaluation on known values, over dimensions too; undefined where `f` has no answer for a pair. */
export function evaluateBinary(
  node: Node,
  [a, b]: readonly (Known | undefined)[],
  f: (x: Dim, y: Dim) => Dim | undefined,
): readonly Known[] | undefined {
  if (!a || !b) return undefined;
  const shape = broadcastShapes(node, a.shape, b.shape) as number[];
  const data: Dim[] = new Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) {
    const value = f(a.data[indexIn(a.shape, shape, i)]!, b.data[indexIn(b.shape, shape, i)]!);
    if (value === undefined || (a.dtype === "i32" && !isHeld(value))) return undefined;
    data[i] = value;
  }
  return [{ dtype: a.dtype, shape, data }];
}

/** Whether i32 holds a number: whether int32 would wrap at it, or int64 hold it, is not known here. */
export const isHeld = (value: Dim): boolean => typeof value === "string" || value === (value | 0);

/** Index into a broadcast operand of element `i` of the result. */
function indexIn(operand: readonly number[], shape: readonly number[], i: number): number {
  let index = 0;
  let stride = 1;
  for (let axis = shape.length - 1, own = operand.length - 1; own >= 0; axis--, own--) {
    const at = i % shape[axis]!;
    i = Math.floor(i / shape[axis]!);
    if (operand[own] !== 1) index += at * stride;
    stride *= operand[own]!;
  }
  return index;
}

/**
 * Channels last where an image is of the result's rank, provided that the other operands can be walked in that order: one of lower
 * rank would have its channels elsewhere.
 */
export const broadcastLayout: NonNullable<Op["layout"]> = (_, given, types) => {
  const all = types as readonly ValueType[];
  const rank = all.reduce((most, { shape }) => Math.max(most, shape.length), 0);
  const isFull = ({ shape }: ValueType) => shape.length === rank;
  const walkable = (type: ValueType) => isFull(type) || type.shape.filter((dim) => dim !== 1).length <= 1;
  if (rank > 2 && all.some((type, i) => given[i] === "channelsLast" && isFull(type)) && all.every(walkable))
    return {
      inputs: all.map((type) => (isFull(type) ? "channelsLast" : "plain")),
      outputs: ["channelsLast"],
    };
  const [first = "plain"] = given;
  const isAlike = ({ shape }: ValueType, i: number) =>
    given[i] === first && formatShape(shape) === formatShape(all[0]!.shape);
  if (flatChannels(first) !== undefined && all.every(isAlike)) return { inputs: given, outputs: [first] };
  return { inputs: all.map(() => "plain"), outputs: ["plain"] };
};

export interface Walk {
  /** Extents, outermost first: the result is dense over them. */
  readonly extents: readonly [Dim, Dim, Dim];
  readonly a: readonly [Dim, Dim, Dim];
  readonly b: readonly [Dim, Dim, Dim];
}

/**
 * Three loops with the strides of both operands, in elements. Neighbouring axes that both walk alike are merged; where threads divide the
 * outermost loop, it stays one of its own if there is a loop left for it, which costs nothing in kernels that merge dense levels.
 */
export function walkOf(
  node: Node,
  out: Shape,
  a: Shape,
  b: Shape,
  layout: Layout,
  isDivided?: boolean,
): Walk {
  for (const operand of [a, b])
    if (!isWithin(operand, out)) sizesIn(`${node.op} "${node.name}"`, [...operand, ...out]);
  const shape = inMemory(out, out.length, layout);
  const operands = [inMemory(a, out.length, layout), inMemory(b, out.length, layout)];
  const strides = operands.map(stridesOf);
  const axes: { extent: Dim; strides: Dim[] }[] = [];
  const first = shape.findIndex((size) => size !== 1);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis]!;
    if (extent === 1) continue;
    const own = strides.map((s) => s[axis]!);
    const inner = axes[0];
    const merges =
      (!isDivided || axis > first || axes.length > 2) &&
      own.every((s, i) => inner && s === multiplyDims(inner.strides[i]!, inner.extent));
    if (merges) inner!.extent = multiplyDims(inner!.extent, extent);
    else axes.unshift({ extent, strides: own });
  }
  if (axes.length > 3)
    throw opError(node, "this broadcast is not supported", {
      got: `${formatShape(a)} and ${formatShape(b)}`,
    });
  while (axes.length < 3) {
    const [, inner] = axes;
    if (!isDivided || !inner) axes.unshift({ extent: 1, strides: [0, 0] });
    else axes.splice(1, 0, { extent: 1, strides: inner.strides.map((s) => multiplyDims(s, inner.extent)) });
  }
  const column = (i: number) => axes.map((axis) => axis.strides[i]!) as unknown as readonly [Dim, Dim, Dim];
  return {
    extents: axes.map((axis) => axis.extent) as unknown as readonly [Dim, Dim, Dim],
    a: column(0),
    b: column(1),
  };
}

/** A shape of `rank` dimensions in the order they have in memory. */
export function inMemory(shape: Shape, rank: number, layout: Layout): Shape {
  const full = [...Array.from({ length: rank - shape.length }, () => 1), ...shape];
  return layout === "channelsLast" ? [full[0]!, ...full.slice(2), full[1]!] : full;
}

/** Row-major strides, 0 where a dimension is 1. */
function stridesOf(shape: Shape): Dim[] {
  const strides: Dim[] = [];
  let stride: Dim = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides.unshift(shape[axis] === 1 ? 0 : stride);
    stride = multiplyDims(stride, shape[axis]!);
  }
  return strides;
}
