// Slice: from `starts` to `ends` in `steps` along `axes`. Bounds may be dimensions over symbols.

import type { Node } from "../../graph/graph";
import {
  addDims,
  ceilDims,
  type Dim,
  isMonotone,
  isNatural,
  maxDims,
  minDims,
  multiplyDims,
  type Shape,
  subtractDims,
  wrapDims,
} from "../../graph/symbols";
import { bytesPerElement } from "../../graph/tensor";
import { dimsOf, missing, normalizeAxis } from "../axes";
import { emitCopy, memoryOrder, memoryStrides, requireSameCodes, walkable } from "../copy";
import { numericShape, stridedCopy, stridesOf } from "../known";
import { behind, inputType, type Lowering, type Op, opError, type Traits, type Unit } from "../op";
import { sizesIn } from "../sizes";
import { sameShape } from "./reshape";

/** The part of one axis that is kept. */
export interface Cut {
  readonly start: Dim;
  readonly step: number;
  readonly extent: Dim;
  /** Sizes that must not be below 0, so that it is as it says: runs in which one is are refused. */
  readonly needs?: readonly Dim[];
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
  if (step !== 1) return clampedCut(dim, from, to, step);
  const isEnd = (at: Dim) => typeof at === "number" && at >= UNBOUNDED;
  const first = from === -UNBOUNDED - 1 ? 0 : from;
  const last = isEnd(to) ? dim : to;
  const back = typeof first === "number" && first < 0 ? addDims(dim, first) : first;
  // A first element and a last one have to be there: runs without them are refused.
  if ((from === 0 && to === 1) || (from === -1 && isEnd(to)))
    return { start: back, step, extent: 1, needs: [subtractDims(dim, 1)] };
  const start = typeof first === "string" ? first : maxDims(0, back);
  const end = typeof last === "string" ? last : last < 0 ? addDims(dim, last) : minDims(dim, last);
  const left = subtractDims(end, back);
  const extent = maxDims(0, back === start ? left : minDims(maxDims(0, end), left));
  const needs = [from, to].filter((at) => typeof at === "string");
  if (typeof dim === "number" && isMonotone(extent))
    // As many of a fixed number as symbols say: runs that ask for more are refused.
    return { start, step, extent, needs: [...needs, subtractDims(dim, end)] };
  const isWithin = (at: Dim) => {
    return isNatural(subtractDims(dim, at));
  };
  if (!isMonotone(extent) || !needs.every(isWithin)) return clampedCut(dim, from, to, step);
  return { start, step, extent, needs };
}

/** A cut whose bounds are brought into the dimension, whatever symbols say. */
function clampedCut(dim: Dim, from: Dim, to: Dim, step: number): Cut {
  const last = step > 0 ? dim : subtractDims(dim, 1);
  const within = (at: Dim, least: number) => {
    if (Number(at) >= UNBOUNDED) return last;
    return minDims(last, Number(at) <= -UNBOUNDED ? least : maxDims(least, wrapDims(at, dim)));
  };
  const start = within(from, 0);
  const end = within(to, step > 0 ? 0 : -1);
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
  for (const { needs = [] } of cuts) for (const dim of needs) c.needsSize(dim);
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
  natural: (node, [shape = []]) => cutsOf(node, shape).flatMap(({ needs = [] }) => needs),
  idle: (node, x, y) =>
    sameShape(x.shape, y.shape) && (dimsOf(node, "steps")?.every((step) => step === 1) ?? true),
  evaluate(node, [x]) {
    const y = x && cutKnown(x, cutsOf(node, x.shape));
    return y && [y];
  },
};
