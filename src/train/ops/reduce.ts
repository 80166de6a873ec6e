// Gradients of reductions. Attribute `shape` is that of x, all others are those of the reduction.

import { countOf, type Dim, formatShape, multiplyDims, type Shape } from "../../graph/symbols";
import { dimsOf, missing } from "../../ops/axes";
import { floatType, numberOf, type Op, opError } from "../../ops/op";
import { reducedAxes, reducedShape, runsOf } from "../../ops/reduce/reduction";

type Parameters0 = Parameters<Op["infer"]>;

/** The shape of x, if dy is of its reduction. */
function shapeOf(node: Parameters0[0], inputs: Parameters0[1]): Shape {
  const dy = floatType(node, inputs, 0);
  const shape = dimsOf(node, "shape");
  if (!shape) throw missing(node, "shape");
  const expected = formatShape(reducedShape(node, shape));
  if (formatShape(dy.shape) !== expected)
    throw opError(node, "its input is not of this reduction", { expected, got: formatShape(dy.shape) });
  return shape;
}

/** dy repeated to the shape of x; with `mean` 1 divided by how many elements each is repeated to. */
export const reduceGradient: Op = {
  infer: (node, inputs) => [{ dtype: "f32", shape: shapeOf(node, inputs) }],
  rows: true,
  lower({ node, inputs, outputs }, c) {
    const [dy, dx] = [inputs[0]!, outputs[0]!];
    const { shape } = c.type(dx);
    const axes = reducedAxes(node, shape.length);
    const runs = runsOf(shape, axes, "plain");
    const isMean = numberOf(node, "mean", 0) === 1;
    let left = runs.filter(({ isReduced }) => isReduced).length;
    if (left === 0) return c.alias(dx, dy);
    let from = c.input(dy);
    let count: Dim = isMean ? countOf(axes.map((axis) => shape[axis]!)) : 1;
    let outer: Dim = 1;
    for (const [i, { isReduced, extent }] of runs.entries()) {
      if (isReduced) {
        const kept = runs.slice(i + 1).filter((run) => !run.isReduced);
        const inner = countOf(kept.map((run) => run.extent));
        left--;
        const bytes = multiplyDims(multiplyDims(outer, extent), multiplyDims(inner, 4));
        const to = left === 0 ? c.output(dx) : c.temporary(bytes);
        c.emit("reduceGradient", [to, from, extent, inner, count], outer);
        [from, count] = [to, 1];
      }
      outer = multiplyDims(outer, extent);
    }
  },
};

/** (dy, x) → dx of a product over neighbouring axes. */
export const reduceProdGradient: Op = {
  infer: (node, inputs) => [{ dtype: "f32", shape: shapeOf(node, inputs) }],
  rows: true,
  lower({ node, inputs, outputs }, c) {
    const [dy, x] = inputs as [string, string];
    const { shape } = c.type(x);
    const axes = reducedAxes(node, shape.length);
    const [first, behind] = [axes[0] ?? 0, (axes.at(-1) ?? -1) + 1];
    const [reduce, inner] = [countOf(shape.slice(first, behind)), countOf(shape.slice(behind))];
    const args = [c.output(outputs[0]!), c.input(dy), c.input(x), reduce, inner] as const;
    c.emit("reduceProductGradient", args, countOf(shape.slice(0, first)));
  },
};
