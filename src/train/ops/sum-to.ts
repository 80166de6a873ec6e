// SumTo: a gradient summed along the dimensions that its operand was repeated along; attribute `shape` is the operand's.

import type { Node } from "../../graph/graph";
import { countOf, type Dim, formatShape, multiplyDims, type Shape } from "../../graph/symbols";
import { dimsOf, missing } from "../../ops/axes";
import { memoryOrder, walkable } from "../../ops/copy";
import { floatType, type Layout, type Op, opError } from "../../ops/op";

/** Neighbouring axes that are all kept or all summed. */
interface Run {
  readonly isKept: boolean;
  readonly extent: Dim;
  readonly step: Dim;
}

/** The attribute's shape, with a 1 in front for every dimension it lacks. */
function targetOf(node: Node, from: Shape): { shape: Shape; full: Shape } {
  const shape = dimsOf(node, "shape");
  if (!shape) throw missing(node, "shape");
  const full = [...Array.from({ length: from.length - shape.length }, () => 1), ...shape];
  if (full.length !== from.length || full.some((dim, i) => dim !== from[i] && dim !== 1))
    throw opError(node, "its shape is not that of a sum over its input", {
      expected: `dimensions of ${formatShape(from)} or 1, from the right`,
      got: formatShape(shape),
    });
  return { shape, full };
}

/** Runs in memory, outermost first; axes of 1 belong to none. */
function runsOf(from: Shape, full: Shape, layout: Layout): Run[] {
  const runs: Run[] = [];
  let step: Dim = 1;
  for (const axis of memoryOrder(from.length, layout).reverse()) {
    const extent = from[axis]!;
    if (extent === 1) continue;
    const isKept = full[axis] !== 1;
    const inner = runs[0];
    if (inner?.isKept === isKept) runs[0] = { ...inner, extent: multiplyDims(inner.extent, extent) };
    else runs.unshift({ isKept, extent, step });
    step = multiplyDims(step, extent);
  }
  return runs;
}

/** Whether one step sums it: at most two runs of neighbours are kept, and two are summed. */
const isOneSum = (runs: readonly Run[]) =>
  [true, false].every((kept) => runs.filter(({ isKept }) => isKept === kept).length <= 2);

/** Shapes on the way to one of the same rank: none where one step will do, however elements lie; else an axis less with each. */
export function shapesBetween(from: Shape, to: Shape): Shape[] {
  const full = [...Array.from({ length: from.length - to.length }, () => 1), ...to];
  const layouts: readonly Layout[] = ["plain", "channelsLast"];
  if (layouts.every((layout) => isOneSum(runsOf(from, full, layout)))) return [];
  const between: Shape[] = [from];
  for (const [axis, dim] of full.entries())
    if (dim === 1 && from[axis] !== 1) between.push(between.at(-1)!.map((own, i) => (i === axis ? 1 : own)));
  return between.slice(1);
}

const ONE = { extent: 1, step: 0 } as const;

export const sumTo: Op = {
  infer(node, inputs) {
    return [{ dtype: "f32", shape: targetOf(node, floatType(node, inputs, 0).shape).shape }];
  },
  rows: true,
  sums: true,
  /** As its input, where the result can be walked in that order. */
  layout(node, [layout], types) {
    const from = types[0]!.shape;
    const { shape } = targetOf(node, from);
    const has = walkable(layout);
    if (shape.length === from.length) return { inputs: [has], outputs: [has] };
    const isVector = shape.filter((dim) => dim !== 1).length < 2;
    return { inputs: [isVector ? has : "plain"], outputs: ["plain"] };
  },
  lower({ node, inputs, outputs }, c) {
    const [x, y] = [inputs[0]!, outputs[0]!];
    const from = c.type(x).shape;
    const { shape, full } = targetOf(node, from);
    const runs = runsOf(from, full, c.layout(x));
    const kept = runs.filter(({ isKept }) => isKept);
    const summed = runs.filter(({ isKept }) => !isKept);
    if (summed.length === 0) return c.alias(y, x);
    if (!isOneSum(runs))
      throw opError(node, "its dimensions are summed in too many places", {
        expected: "at most two runs of neighbours that are kept, and two that are summed",
        got: `${formatShape(from)} to ${formatShape(shape)}`,
      });
    const [col = ONE, row = ONE] = kept.reverse();
    const [inner = ONE, outer = ONE] = summed.reverse();
    const steps = [row.step, col.step, outer.extent, inner.extent, outer.step, inner.step] as const;
    c.emit("sumTo", [c.output(y), c.input(x), col.extent, ...steps], countOf(shape));
  },
};
