// Tile: the input repeated `repeats` times along every axis.

import type { Node } from "../../graph/graph";
import { countOf, type Dim, multiplyDims, type Shape } from "../../graph/symbols";
import { bytesPerElement } from "../../graph/tensor";
import { dimsOf, missing } from "../axes";
import { emitCopy, MAX_LOOPS, memoryStrides, requireSameCodes } from "../copy";
import { sameShape } from "../core/reshape";
import { numericShape, stridedCopy, stridesOf } from "../known";
import { behind, inputType, type Lowering, type Op, opError, type Traits, type Unit } from "../op";

/** How often every axis is repeated. */
export function repeatsOf(node: Node, { length }: Shape): Shape {
  const repeats = dimsOf(node, "repeats");
  if (!repeats) throw missing(node, "repeats");
  if (repeats.length === length && repeats.every((n) => typeof n === "string" || n >= 0)) return repeats;
  throw opError(node, "repeats does not fit", {
    expected: `${length} counts`,
    got: `[${repeats.join(", ")}]`,
  });
}

const tiled = (node: Node, shape: Shape): Shape =>
  repeatsOf(node, shape).map((n, axis) => multiplyDims(n, shape[axis]!));

/** Every element to all its places; where that takes too many loops, to the first of them, and from there axis by axis, the last first. */
function lower({ node, inputs: [x = ""], outputs: [y = ""] }: Unit, c: Lowering): void {
  const { dtype, shape } = c.type(x);
  const repeats = repeatsOf(node, shape);
  const [to, from] = [memoryStrides(c.type(y).shape, "plain"), memoryStrides(shape, "plain")];
  const first = c.output(y);
  for (const count of repeats) c.needsSize(count);
  if (countOf(repeats) === 0) return;
  const elements = shape.map((extent, axis) => ({ extent, y: to[axis]!, x: from[axis]! }));
  const again = (axis: number, extent: Dim) => ({ extent, y: multiplyDims(to[axis]!, shape[axis]!), x: 0 });
  const all = elements.flatMap((loop, axis) =>
    repeats[axis] === 1 ? [loop] : [again(axis, repeats[axis]!), loop],
  );
  const isNumeric = repeats.every((n) => typeof n === "number");
  if (all.length <= MAX_LOOPS || !isNumeric) return emitCopy(node, c, dtype, first, c.input(x), all);
  emitCopy(node, c, dtype, first, c.input(x), elements);
  const reach = [...shape];
  for (const axis of [...shape.keys()].reverse()) {
    const loops = reach.map((extent, i) => ({ extent, y: to[i]!, x: to[i]! }));
    const step = again(axis, (repeats[axis] as number) - 1);
    emitCopy(node, c, dtype, behind(first, multiplyDims(step.y, bytesPerElement[dtype])), first, [
      step,
      ...loops,
    ]);
    reach[axis] = multiplyDims(shape[axis]!, repeats[axis]!);
  }
}

/** ONNX Tile-13. */
export const tile: Op = {
  inputs: 2,
  parameters: { 1: "repeats" },
  open: [1],
  infer(node, inputs) {
    const { dtype, shape } = inputType(node, inputs, 0);
    return [{ dtype, shape: tiled(node, shape) }];
  },
  rows: (node, [x], [y]) => x!.axis === y!.axis && repeatsOf(node, x!.shape)[x!.axis] === 1,
  lower,
  lowerInteger(unit, c) {
    requireSameCodes(unit);
    lower(unit, c);
  },
};

export const tileTraits: Traits = {
  codes: "moves",
  homogeneous: (node, axis) => dimsOf(node, "repeats")?.[axis] === 1,
  trained: undefined,
  idle: (_, x, y) => sameShape(x.shape, y.shape),
  evaluate(node, [x]) {
    const shape = x && numericShape(tiled(node, x.shape));
    if (!shape) return undefined;
    // Each axis as the repeats and the elements of one.
    const apart = x.shape.flatMap((dim, axis) => [dim === 0 ? 0 : shape[axis]! / dim, dim]);
    const steps = stridesOf(x.shape).flatMap((step) => [0, step]);
    return [{ ...stridedCopy(x, apart, steps), shape }];
  },
};
