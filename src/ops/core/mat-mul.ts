// Products of two stacks of matrices. One of a known matrix on the right is a Linear, once the graph is simplified

import { matMulScratchBytes } from "../../../assembly/f32/sizes";
import type { Node } from "../../graph/graph";
import { addDims, countOf, type Dim, formatShape, multiplyDims, type Shape } from "../../graph/symbols";
import { broadcastShapes, walkOf } from "../broadcast";
import { shifted } from "../copy";
import { mayEqual, needEqual } from "../equal";
import { type Address, floatType, type Lowering, type Op, opError, type Traits, type Unit } from "../op";
import { sizesIn } from "../sizes";
import { type PlainRule, Steps } from "../steps";
import { layerWeights } from "./gemm";

/** Both operands as stacks of matrices: a vector is a row on the left and a column on the right, as in numpy. */
export function stacksOf(node: Node, a: Shape, b: Shape) {
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const [m, k] = left.slice(-2);
  const [inner, n] = right.slice(-2);
  if (a.length < 1 || b.length < 1 || !mayEqual(k!, inner!))
    throw opError(node, "inner sizes differ", {
      expected: "[..., m, k] × [..., k, n]",
      got: `${formatShape(a)} × ${formatShape(b)}`,
    });
  const stack = broadcastShapes(node, left.slice(0, -2), right.slice(0, -2));
  const shape = [...stack, ...(a.length === 1 ? [] : [m!]), ...(b.length === 1 ? [] : [n!])];
  return { left, right, stack, m: m!, n: n!, k: k!, inner: inner!, shape };
}

/** Stacks that a step of their own is emitted for, where both operands are repeated. */
const MAX_STEPS = 64;

/** The right-hand side is packed in every run. */
function lowerStacks({ node, inputs, outputs, clamp }: Unit, c: Lowering): void {
  const [a, b] = inputs as [string, string];
  const { left, right, stack, m, n, k, inner: other } = stacksOf(node, c.type(a).shape, c.type(b).shape);
  needEqual(c, k, other);
  const { lo = -Infinity, hi = Infinity } = clamp ?? {};
  const walk = walkOf(node, stack, left.slice(0, -2), right.slice(0, -2), "plain");
  const [one, outer, inner] = walk.extents;
  const [aOne, a0, a1] = walk.a.map((step) => countOf([step, m, k])) as [Dim, Dim, Dim];
  const [bOne, b0, b1] = walk.b.map((step) => countOf([step, k, n])) as [Dim, Dim, Dim];
  // Rows on the left that meet one matrix on the right are those of one product, as all heads of a query that share a key.
  const isShared = b1 === 0;
  const [ones, outers] = sizesIn(`${node.op} "${node.name}"`, [one, isShared ? 1 : outer]) as [
    number,
    number,
  ];
  const steps = ones * outers;
  if (steps > MAX_STEPS)
    throw opError(node, "this broadcast is not supported", {
      expected: `at most MAX_STEPS = ${MAX_STEPS} stacks in which both operands are repeated`,
      got: `${formatShape(left)} and ${formatShape(right)}`,
    });
  const rows = isShared ? multiplyDims(inner, m) : m;
  const all = multiplyDims(isShared ? outer : inner, rows);
  const [aStep, bStep] = isShared ? [a0, b0] : [a1, b1];
  const scratch = c.scratch((most) => matMulScratchBytes(most(rows), most(n), most(k)));
  const [x, w, y] = [c.input(a), c.input(b), c.output(outputs[0]!)];
  for (let i = 0; i < steps; i++) {
    const at = (place: Address, first: Dim, step: Dim) => {
      const [before, within] = [Math.floor(i / outers), i % outers];
      return shifted(place, addDims(multiplyDims(first, before), multiplyDims(step, within)), "f32");
    };
    const made = countOf([all, n]);
    const to = at(y, multiplyDims(made, outers), made);
    const places = [to, at(x, aOne, a0), at(w, bOne, b0), scratch] as const;
    c.emit("matMul", [...places, rows, n, k, aStep, bStep, lo, hi], all, countOf([all, n, k]));
  }
}

/** ONNX MatMul-13: [..., m, k] × [..., k, n]. */
export const matMul: Op = {
  inputs: 2,
  infer(node, inputs) {
    const [a, b] = [floatType(node, inputs, 0), floatType(node, inputs, 1)];
    return [{ dtype: "f32", shape: stacksOf(node, a.shape, b.shape).shape }];
  },
  rows: true,
  fusesClamp: "always",
  lower: lowerStacks,
};

export const matMulTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: { weight: 1 },
  depth: ([x]) => x!.slice(-1),
  equal: (_, [a, b]) => [[a!.at(-1), b!.at(-2) ?? b![0]]],
};

/** The product with a known matrix is a layer. */
export const matMulPlain: PlainRule = (node, rewrite, types) => {
  const [x, w] = node.inputs as [string, string];
  if (types.get(w)!.shape.length !== 2) return;
  const steps = new Steps(rewrite, node);
  const weights = layerWeights(steps, rewrite, w, false);
  if (weights === undefined) return;
  steps.add("Linear", [x, weights], {}, true);
  steps.done();
};
