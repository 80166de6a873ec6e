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

/** Sums of i32 that are held in i64, and what is made of them. */
interface Wide {
  readonly fold: "reduceSumWide" | "reduceSquareSumWide";
  readonly finish: "divideSumsWide" | "rootOfSumsWide";
}

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
  /** Of i32, in place of `i32`. */
  readonly wide?: Wide;
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
export function reduction({ further, finish, wide, changes, needsAny, evaluate, ...first }: Reduction): Op {
  const takes = (dtype: DType) => first[kindOf(dtype)] ?? (dtype === "i32" && wide);
  return {
    inputs: 2,
    attributes: ["keepdims", "noop_with_empty_axes"],
    parameters: { 1: "axes" },
    infer(node, inputs) {
      const { dtype, shape } = inputType(node, inputs, 0);
      if (!takes(dtype))
        throw opError(node, "element type does not fit", {
          expected: (["f32", "i32", "u8", "i8", "bool"] as const).filter(takes).join(", "),
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
      const all = countOf(c.type(y).shape);
      const from = c.input(x);
      if (kind === "i32" && wide) {
        const to = c.temporary(multiplyDims(all, 8));
        emitRuns(c, runs, { from, to, size: 8 }, [wide.fold, "reduceSumsWide"]);
        if (wide.finish === "divideSumsWide") c.emit(wide.finish, [c.output(y), to, count], all);
        else c.emit(wide.finish, [c.output(y), to], all);
        return;
      }
      const to = c.output(y);
      emitRuns(c, runs, { from, to, size: bytesPerElement[dtype] }, [
        first[kind]!,
        (further ?? first)[kind]!,
      ]);
      if (finish === "divideSums") c.emit(finish, [to, count], all);
      else if (finish) c.emit(finish, [to], all);
    },
  };
}

/** Steps of all runs, of elements of `size` bytes between them. */
function emitRuns(
  c: Lowering,
  runs: readonly Run[],
  ends: { readonly from: Address; readonly to: Address; readonly size: number },
  [first, further]: readonly [FoldKernel, FoldKernel],
): void {
  let { from } = ends;
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
    const to = left === 0 ? ends.to : c.temporary(multiplyDims(multiplyDims(outer, inner), ends.size));
    c.emit(kernel, [to, from, extent, inner], outer);
    [from, kernel] = [to, further];
  }
}
