// Reductions over any axes. Neighbouring axes that are all reduced, or all kept, are one run in memory; each run that is reduced is
// a step, from the innermost run out.

import type { Node } from "../../graph/graph";
import { countOf, type Dim, multiplyDims, type Shape } from "../../graph/symbols";
import { bytesPerElement, type DType } from "../../graph/tensor";
import { axesOf } from "../axes";
import { memoryOrder, walkable } from "../copy";
import {
  type Address,
  inputType,
  type Kernels,
  type Layout,
  type Lowering,
  numberOf,
  type Op,
  opError,
} from "../op";

/** Kernels called as (y, x, n, inner, begin, end). */
type FoldKernel = {
  [K in keyof Kernels]: K extends `reduce${string}Gradient` ? never : K extends `reduce${string}` ? K : never;
}[keyof Kernels];
type Finish = "divideSums" | "rootOfSums" | "logOfSums";

/** Kernels by what elements are in memory, where i8 and bool are bytes. */
interface Folds {
  readonly f32: FoldKernel;
  readonly i32?: FoldKernel;
  readonly byte?: FoldKernel;
}

interface Reduction extends Folds {
  /** Of further runs, where not the same. */
  readonly further?: Folds;
  /** What is done to the results of all runs. */
  readonly finish?: Finish;
  /** It changes an element that is reduced alone. */
  readonly changes?: true;
  /** There is none of nothing. */
  readonly needsAny?: true;
  readonly evaluate?: Op["evaluate"];
}

const kindOf = (dtype: DType): keyof Folds => (dtype === "f32" || dtype === "i32" ? dtype : "byte");

/** Axes in ascending order, counted from the front; all of them where none is named. */
export function reducedAxes(node: Node, rank: number): number[] {
  const named = axesOf(node, rank) ?? [];
  if (named.length === 0 && numberOf(node, "noop_with_empty_axes", 0) === 1) return [];
  return named.length === 0 ? Array.from({ length: rank }, (_, i) => i) : named.sort((a, b) => a - b);
}

export const keepsDims = (node: Node): boolean => numberOf(node, "keepdims", 1) !== 0;

/** Sums of squares are summed as they are. */
export const sums: Folds = { f32: "reduceSum", i32: "reduceSumInt" };

/** Whether a reduction keeps the indices of an axis in their place: those that it reduces are behind it. */
export const isKeptBy = (node: Node, axis: number, rank: number): boolean =>
  reducedAxes(node, rank).every((reduced) => reduced > axis);

/** The shape of a reduction of `shape`. */
export function reducedShape(node: Node, shape: Shape): Dim[] {
  const axes = reducedAxes(node, shape.length);
  return shape.flatMap((dim, axis) => (axes.includes(axis) ? (keepsDims(node) ? [1] : []) : [dim]));
}

/** Neighbours in memory that are all kept or all reduced. */
interface Run {
  readonly isReduced: boolean;
  readonly extent: Dim;
}

/** Runs in memory, outermost first, without dimensions of 1. */
export function runsOf(shape: Shape, axes: readonly number[], layout: Layout): Run[] {
  const runs: Run[] = [];
  for (const axis of memoryOrder(shape.length, layout)) {
    const [extent, isReduced] = [shape[axis]!, axes.includes(axis)];
    if (extent === 1) continue;
    const last = runs.at(-1);
    if (last?.isReduced === isReduced)
      runs[runs.length - 1] = { isReduced, extent: multiplyDims(last.extent, extent) };
    else runs.push({ isReduced, extent });
  }
  return runs;
}

/** A layout of the result whose order in memory is that of the axes that are kept, or plain values. */
const reducedLayout: NonNullable<Op["layout"]> = (node, [layout], types) => {
  const rank = inputType(node, types, 0).shape.length;
  const axes = reducedAxes(node, rank);
  const from = walkable(layout);
  const isKept = (axis: number) => !axes.includes(axis);
  const all = Array.from({ length: rank }, (_, axis) => axis);
  /** Axes of the result as those of the input. */
  const named = keepsDims(node) ? all : all.filter(isKept);
  const kept = memoryOrder(rank, from).filter(isKept);
  const to = (["plain", "channelsLast"] as const).find(
    (to) =>
      `${memoryOrder(named.length, to)
        .map((axis) => named[axis]!)
        .filter(isKept)}` === `${kept}`,
  );
  return { inputs: node.inputs.map((_, i) => (to && i === 0 ? from : "plain")), outputs: [to ?? "plain"] };
};

/** An op that folds elements over axes. */
// @__NO_SIDE_EFFECTS__
export function reduction({ further, finish, changes, needsAny, evaluate, ...first }: Reduction): Op {
  return {
    inputs: 2,
    attributes: ["keepdims", "noop_with_empty_axes"],
    parameters: { 1: "axes" },
    infer(node, inputs) {
      const { dtype, shape } = inputType(node, inputs, 0);
      if (!first[kindOf(dtype)])
        throw opError(node, "element type does not fit", {
          expected: ["f32", ...(first.i32 ? ["i32"] : []), ...(first.byte ? ["u8", "i8", "bool"] : [])].join(
            ", ",
          ),
          got: dtype,
        });
      return [{ dtype, shape: reducedShape(node, shape) }];
    },
    ...(evaluate && { evaluate }),
    rows: true,
    layout: reducedLayout,
    lower({ node, inputs, outputs }, c) {
      const [x, y] = [inputs[0]!, outputs[0]!];
      const { dtype, shape } = c.type(x);
      const kind = kindOf(dtype);
      const axes = reducedAxes(node, shape.length);
      const count = countOf(axes.map((axis) => shape[axis]!));
      const runs = runsOf(shape, axes, c.layout(x));
      if (!runs.some(({ isReduced }) => isReduced)) {
        if (!changes) return c.alias(y, x);
        runs.unshift({ isReduced: true, extent: 1 });
      }
      if (needsAny) c.needs(count, y);
      const ends = { x, y, size: bytesPerElement[dtype] };
      const result = emitRuns(c, runs, ends, [first[kind]!, (further ?? first)[kind]!]);
      if (finish) emitFinish(c, finish, kind === "i32", result, count, countOf(c.type(y).shape));
    },
  };
}

/** Steps of all runs; returns where the result lies. */
function emitRuns(
  c: Lowering,
  runs: readonly Run[],
  { x, y, size }: { readonly x: string; readonly y: string; readonly size: number },
  [first, further]: readonly [FoldKernel, FoldKernel],
): Address {
  let from = c.input(x);
  let kernel = first;
  let inner: Dim = 1;
  let left = runs.filter(({ isReduced }) => isReduced).length;
  for (const [i, { isReduced, extent }] of [...runs.entries()].reverse()) {
    if (!isReduced) {
      inner = multiplyDims(inner, extent);
      continue;
    }
    const outer = countOf(runs.slice(0, i).map((run) => run.extent));
    left--;
    const to = left === 0 ? c.output(y) : c.temporary(multiplyDims(multiplyDims(outer, inner), size));
    c.emit(kernel, [to, from, extent, inner], outer);
    [from, kernel] = [to, further];
  }
  return from;
}

/** Steps over sums of `count` elements, as many as `all`. */
function emitFinish(c: Lowering, finish: Finish, isInteger: boolean, y: Address, count: Dim, all: Dim): void {
  if (finish === "divideSums") c.emit(isInteger ? "divideSumsInt" : finish, [y, count], all);
  else if (finish === "rootOfSums") c.emit(isInteger ? "rootOfSumsInt" : finish, [y], all);
  else c.emit(finish, [y], all);
}
