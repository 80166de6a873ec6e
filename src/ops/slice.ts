// Slice: from `starts` to `ends` in `steps` along `axes`. Bounds may be dimensions over symbols.

import type { Node } from "../graph/graph";
import {
  addDims,
  ceilDims,
  type Dim,
  isMonotone,
  isNeverBelow0,
  maxDims,
  minDims,
  multiplyDims,
  type Shape,
  subtractDims,
  wrapDims,
} from "../graph/symbols";
import { bytesPerElement } from "../graph/tensor";
import { dimsOf, missing, normalizeAxis } from "./axes";
import { emitCopy, memoryOrder, memoryStrides, requireSameCodes, walkable } from "./copy";
import { numericShape, stridedCopy, stridesOf } from "./known";
import { behind, inputType, type Lowering, type Op, opError, type Traits, type Unit } from "./op";
import { sameShape } from "./reshape";
import { sizesIn } from "./sizes";

/** The part of one axis that is kept. */
export interface Cut {
  readonly start: Dim;
  readonly step: number;
  readonly extent: Dim;
  /** Whether bounds are where they are only for some sizes: a plan has to know them. */
  readonly depends?: true;
}

/** The end of an i32, to which larger sentinels of exporters were cut. */
const UNBOUNDED = 0x7fffffff;

/** Whole axes. */
export const uncut = (shape: Shape): Cut[] => shape.map((extent) => ({ start: 0, step: 1, extent }));

/** What a Slice keeps of every axis. */
export function cutsOf(node: Node, shape: Shape): Cut[] {
  const starts = dimsOf(node, "starts");
  const ends = dimsOf(node, "ends");
  if (!starts || !ends) throw missing(node, starts ? "ends" : "starts");
  const axes = dimsOf(node, "axes") ?? starts.map((_, i) => i);
  const steps = dimsOf(node, "steps") ?? starts.map(() => 1);
  if ([ends, axes, steps].some((list) => list.length !== starts.length))
    throw opError(node, "its lists differ in length", {
      expected: `${starts.length} starts, ends, axes and steps`,
      got: `${starts.length}, ${ends.length}, ${axes.length}, ${steps.length}`,
    });
  const cuts = uncut(shape);
  for (const [i, wanted] of axes.entries()) {
    const axis = normalizeAxis(node, Number(wanted), shape.length);
    const step = steps[i]!;
    if (typeof step !== "number" || step === 0 || !Number.isInteger(step))
      throw opError(node, "a step is an integer that is not 0", { got: `${step}` });
    cuts[axis] = cutAxis(shape[axis]!, starts[i]!, ends[i]!, step);
  }
  return cuts;
}

function cutAxis(dim: Dim, from: Dim, to: Dim, step: number): Cut {
  if (typeof dim === "number" && typeof from === "number" && typeof to === "number") {
    const clamp = (at: number, lo: number, hi: number) => Math.min(hi, Math.max(lo, at < 0 ? at + dim : at));
    const start = step > 0 ? clamp(from, 0, dim) : clamp(from, 0, dim - 1);
    const end = step > 0 ? clamp(to, 0, dim) : clamp(to, -1, dim - 1);
    return { start, step, extent: Math.max(0, Math.ceil((end - start) / step)) };
  }
  const isWithin = (at: Dim) => {
    const left = subtractDims(dim, at);
    return typeof left === "number" ? left >= 0 : isNeverBelow0(left);
  };
  const back = typeof from === "number" && from < 0 ? addDims(dim, from) : from;
  const start = typeof back === "number" ? Math.max(0, back) : back;
  const until = typeof to === "number" && to >= UNBOUNDED ? dim : to;
  const end = typeof until === "number" && until < 0 ? addDims(dim, until) : until;
  const extent = subtractDims(end, start);
  const mayWrap = typeof end === "string" && !isNeverBelow0(end);
  if (typeof extent === "number" && extent <= 0 && step === 1 && !mayWrap)
    return { start: 0, step, extent: 0 };
  // A first element has to be there, and as many of a fixed number as symbols say: runs without them are refused.
  const isOfTable = typeof dim === "number" && typeof end === "string" && isMonotone(extent);
  const fits = (isWithin(end) || end === 1) && (typeof from === "number" || isWithin(start));
  return step === 1 && (fits || isOfTable) ? { start, step, extent } : clampedCut(dim, from, until, step);
}

/** A cut whose bounds are brought into the dimension, whatever symbols say. */
function clampedCut(dim: Dim, from: Dim, to: Dim, step: number): Cut {
  const last = step > 0 ? dim : subtractDims(dim, 1);
  const within = (at: Dim, least: number) => minDims(last, maxDims(least, wrapDims(at, dim)));
  const isFirst = typeof to === "number" && to <= -UNBOUNDED;
  const start = within(from, 0);
  const end = step > 0 ? within(to, 0) : isFirst ? -1 : within(to, -1);
  const span = step > 0 ? subtractDims(end, start) : subtractDims(start, end);
  return { start, step, extent: maxDims(0, ceilDims(span, Math.abs(step))), depends: true };
}

/** Copies the cuts of a known value. */
export function cutKnown(x: Parameters<typeof stridedCopy>[0], cuts: readonly Cut[]) {
  const shape = numericShape(cuts.map((cut) => cut.extent));
  const starts = numericShape(cuts.map((cut) => cut.start));
  if (!shape || !starts) return undefined;
  const strides = stridesOf(x.shape);
  const offset = starts.reduce((sum, start, axis) => sum + start * strides[axis]!, 0);
  return stridedCopy(
    x,
    shape,
    strides.map((stride, axis) => stride * cuts[axis]!.step),
    offset,
  );
}

/** Steps that copy the cuts of an input to an output. */
export function lowerCuts(
  node: Node,
  c: Lowering,
  output: string,
  input: string,
  cuts: readonly Cut[],
): void {
  const x = c.type(input);
  const y = c.type(output);
  const xStrides = memoryStrides(x.shape, c.layout(input));
  const yStrides = memoryStrides(y.shape, c.layout(output));
  const offset = cuts.reduce<Dim>(
    (sum, { start }, axis) => addDims(sum, multiplyDims(start, xStrides[axis]!)),
    0,
  );
  const loops = memoryOrder(y.shape.length, c.layout(output)).map((axis) => ({
    extent: y.shape[axis]!,
    y: yStrides[axis]!,
    x: multiplyDims(xStrides[axis]!, cuts[axis]!.step),
  }));
  const from = behind(c.input(input), multiplyDims(offset, bytesPerElement[x.dtype]));
  emitCopy(node, c, x.dtype, c.output(output), from, loops);
}

function lower({ node, inputs, outputs }: Unit, c: Lowering): void {
  const { shape } = c.type(inputs[0]!);
  const cuts = cutsOf(node, shape);
  for (const { start, extent, depends } of cuts)
    if (depends) sizesIn(`${node.op} "${node.name}"`, [start, extent]);
  for (const [axis, { extent, start }] of cuts.entries()) {
    if (extent === 1) c.needs(shape[axis]!, outputs[0]!);
    if (typeof start === "string") c.needsSize(start);
    if (typeof shape[axis] === "number" && typeof extent === "string")
      c.needsSize(subtractDims(shape[axis], addDims(start, extent)));
  }
  lowerCuts(node, c, outputs[0]!, inputs[0]!, cuts);
}

export const slice: Op = {
  inputs: 5,
  parameters: { 1: "starts", 2: "ends", 3: "axes", 4: "steps" },
  open: [1, 2],
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    return [{ dtype: x.dtype, shape: cutsOf(node, x.shape).map((cut) => cut.extent) }];
  },
  rows: true,
  layout: (_, [layout]) => ({ inputs: [walkable(layout)], outputs: [walkable(layout)] }),
  lower,
  lowerInteger(unit, c) {
    requireSameCodes(unit);
    lower(unit, c);
  },
};

export const sliceTraits: Traits = {
  codes: "moves",
  homogeneous: undefined,
  trained: undefined,
  natural: (node, [shape = []]) =>
    cutsOf(node, shape).flatMap(({ start, extent, depends }, axis) =>
      depends ? [] : [start, extent, subtractDims(shape[axis]!, addDims(start, extent))],
    ),
  idle: (node, x, y) =>
    sameShape(x.shape, y.shape) && (dimsOf(node, "steps")?.every((step) => step === 1) ?? true),
  evaluate(node, [x]) {
    const y = x && cutKnown(x, cutsOf(node, x.shape));
    return y && [y];
  },
};
