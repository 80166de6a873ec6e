// Elementwise functions whose kernels of the core are for floats and few loops, written with those of the group math, which are for
// every dtype and any broadcasting.

import type { Node, ValueType } from "../graph/graph";
import { allocate, type DType, type Tensor } from "../graph/tensor";
import { loopsOf } from "../ops/math/pairwise";
import { numberOf } from "../ops/op";
import type { Rewrite } from "./rewrite";
import { Steps } from "./steps";

type Types = ReadonlyMap<string, ValueType>;

const filled = (dtype: DType, value: number): Tensor => ({
  dtype,
  shape: [],
  data: allocate(dtype, 1).fill(value),
});

/** Loops of the core's kernels. */
const CORE_LOOPS = 3;

/** Sums, differences, products and quotients of integers, and of floats that are broadcast with more loops than the core has. */
export function plainArithmetic(node: Node, rewrite: Rewrite, types: Types): void {
  const operands = node.inputs.map((value) => types.get(value)!);
  const y = types.get(node.outputs[0]!)!;
  const layouts = y.shape.length > 2 ? (["plain", "channelsLast"] as const) : (["plain"] as const);
  if (y.dtype !== "f32" || layouts.some((layout) => loopsOf(y, operands, layout).length > CORE_LOOPS))
    rewrite.replace(node, { ...node, op: `Broadcast${node.op}` });
}

/** Clips of integers: max with the lower bound, then min with the upper one. */
export function plainClip(node: Node, rewrite: Rewrite, types: Types): void {
  const { dtype } = types.get(node.outputs[0]!)!;
  if (dtype === "f32") return;
  const steps = new Steps(rewrite, node);
  let [y = "", ...bounds] = node.inputs;
  for (const [i, op] of ["Max", "Min"].entries()) {
    const name = ["min", "max"][i]!;
    const isKnown = node.attributes[name] !== undefined;
    const bound = isKnown ? steps.constant(filled(dtype, numberOf(node, name, 0))) : bounds[i];
    if (bound) y = steps.add(op, [y, bound], {}, i === 1);
  }
  if (steps.nodes.length === 0) steps.add("Identity", [y], {}, true);
  steps.done();
}

/** max(x, 0) of integers. */
export function plainRelu(node: Node, rewrite: Rewrite, types: Types): void {
  const { dtype } = types.get(node.outputs[0]!)!;
  if (dtype === "f32") return;
  const steps = new Steps(rewrite, node);
  steps.add("Max", [node.inputs[0]!, steps.constant(filled(dtype, 0))], {}, true);
  steps.done();
}

/** Powers that are products, roots and quotients. */
export function plainPow(node: Node, rewrite: Rewrite, types: Types): void {
  const [x, y] = node.inputs as [string, string];
  const exponent = rewrite.scalar(y);
  const { dtype, shape } = types.get(node.outputs[0]!)!;
  if (exponent === undefined || dtype !== "f32" || shape.length > types.get(x)!.shape.length) return;
  const steps = new Steps(rewrite, node);
  if (exponent === 2) steps.add("Mul", [x, x], {}, true);
  else if (exponent === 3) steps.add("Mul", [steps.add("Mul", [x, x]), x], {}, true);
  else if (exponent === 1) steps.add("Identity", [x], {}, true);
  else if (exponent === 0.5) steps.add("Sqrt", [x], {}, true);
  else if (exponent === -1) steps.add("Reciprocal", [x], {}, true);
  else return;
  steps.done();
}
