// Matrix product of [..., k] with a constant [k, n], packed when the model is loaded, and an optional bias as third input; or of
// two stacks of matrices that are computed.

import { matMulScratchBytes } from "../../assembly/f32/sizes";
import type { Node } from "../graph/graph";
import { countOf, type Dim, formatShape, multiplyDims, type Shape } from "../graph/symbols";
import { sizeOf } from "../graph/tensor";
import { broadcastShapes, walkOf } from "./broadcast";
import { shifted } from "./copy";
import { lowerDense, lowerDenseInt8 } from "./dense";
import { denseView } from "./gemm";
import { type Address, floatType, type Lowering, type Op, opError, type Traits, type Unit } from "./op";

/** The product that a MatMul is, without where its result goes, and its bias. */
export function matMulOf(unit: Unit, c: Lowering) {
  const [x, w, b = ""] = unit.inputs as [string, string, string?];
  const weights = c.constant(w);
  const bias = b === "" ? undefined : c.constant(b);
  if (weights?.shape.length !== 2 || (b !== "" && !bias))
    throw opError(unit.node, "the right-hand side must be a constant matrix", {
      got: c.constant(w) ? formatShape(c.type(w).shape) : `computed value "${w}"`,
      hint: "A product of two computed values has no bias and no integer kernel: leave it float",
    });
  const view = denseView(weights.shape, false, "plain");
  if (bias && sizeOf(bias.shape) !== view.n)
    throw opError(unit.node, "the bias must be one row", {
      expected: `[${view.n}]`,
      got: formatShape(bias.shape),
    });
  const k = weights.shape[0]!;
  const rows = countOf(c.type(x).shape.slice(0, -1));
  const dense = {
    unit,
    x: c.input(x),
    ldx: k,
    ldy: view.n,
    rows,
    weights,
    view,
  };
  return { dense, bias };
}

/** Both operands as stacks of matrices: a vector is a row on the left and a column on the right, as in numpy. */
export function stacksOf(node: Node, a: Shape, b: Shape) {
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const [m, k] = left.slice(-2);
  const [inner, n] = right.slice(-2);
  if (a.length < 1 || b.length < 1 || k !== inner)
    throw opError(node, "inner sizes differ", {
      expected: "[..., m, k] × [..., k, n]",
      got: `${formatShape(a)} × ${formatShape(b)}`,
    });
  const stack = broadcastShapes(node, left.slice(0, -2), right.slice(0, -2));
  const shape = [...stack, ...(a.length === 1 ? [] : [m!]), ...(b.length === 1 ? [] : [n!])];
  return { left, right, stack, m: m!, n: n!, k: k!, shape };
}

/** Stacks that a step of their own is emitted for, where both operands are repeated. */
const MAX_STEPS = 64;

/** Steps of a product whose right-hand side is packed in every run. */
function lowerStacks({ node, inputs, outputs, clamp }: Unit, c: Lowering): void {
  const [a, b] = inputs as [string, string];
  const { left, right, stack, m, n, k } = stacksOf(node, c.type(a).shape, c.type(b).shape);
  const { lo = -Infinity, hi = Infinity } = clamp ?? {};
  const walk = walkOf(node, stack, left.slice(0, -2), right.slice(0, -2), "plain");
  const [one, outer, inner] = walk.extents;
  const [a0, a1] = walk.a.slice(1).map((step) => countOf([step, m, k])) as [Dim, Dim];
  const [b0, b1] = walk.b.slice(1).map((step) => countOf([step, k, n])) as [Dim, Dim];
  if (one !== 1 || typeof outer !== "number" || outer > MAX_STEPS)
    throw opError(node, "this broadcast is not supported", {
      got: `${formatShape(left)} and ${formatShape(right)}`,
    });
  const all = multiplyDims(inner, m);
  // With one matrix on the right, every row on the left is a row of one product.
  const rows = b1 === 0 ? all : m;
  const scratch = c.scratch((most) => matMulScratchBytes(most(rows), most(n), most(k)));
  const [x, w, y] = [c.input(a), c.input(b), c.output(outputs[0]!)];
  for (let i = 0; i < outer; i++) {
    const at = (place: Address, step: Dim) => shifted(node, place, multiplyDims(step, i), "f32");
    const places = [at(y, countOf([all, n])), at(x, a0), at(w, b0), scratch] as const;
    c.emit("matMul", [...places, rows, n, k, a1, b1, lo, hi], all, countOf([all, n, k]));
  }
}

/** ONNX MatMul-13: [..., m, k] × [..., k, n]; of a constant right-hand side [k, n], with a bias [n]. */
export const matMul: Op = {
  inputs: 3,
  infer(node, inputs) {
    const [a, b] = [floatType(node, inputs, 0), floatType(node, inputs, 1)];
    if (inputs[2]) floatType(node, inputs, 2);
    return [{ dtype: "f32", shape: stacksOf(node, a.shape, b.shape).shape }];
  },
  rows: true,
  fusesClamp: "always",
  lower(unit, c) {
    const [, w, b = ""] = unit.inputs as [string, string, string?];
    if (b === "" && c.constant(w)?.shape.length !== 2) return lowerStacks(unit, c);
    const { dense, bias } = matMulOf(unit, c);
    lowerDense(c, { ...dense, y: c.output(unit.outputs[0]!) }, bias);
  },
  lowerInteger(unit, c) {
    const { dense, bias } = matMulOf(unit, c);
    lowerDenseInt8(c, { ...dense, y: c.output(unit.outputs[0]!) }, bias);
  },
};

export const matMulTraits: Traits = {
  codes: "layer",
  homogeneous: undefined,
  trained: { weight: 1, bias: 2 },
};
