// Elementwise operators. Arithmetic is rounded once to f32; transcendental functions are float64 rounded once, which
// the kernels' f32 polynomials approach within 1e-4 of the largest magnitude, not to the bit.

import type { Node } from "../../src/graph/graph";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { type Inputs, need, type Operator, realAttribute, stringAttribute } from "./node";
import { broadcastShapes, broadcastStrides, offsets } from "./view";

/** erf(x) = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!, whose terms all have one sign (Abramowitz & Stegun 7.1.6). */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const clamp = (x: number, lo: number, hi: number) => Math.min(Math.max(x, lo), hi);

/** A function of one value, in float64. */
export type Unary = (node: Node, inputs: Inputs) => (x: number) => number;

/** Bounds of a Relu or Clip node. */
export function boundsOf(node: Node, inputs: Inputs): { lo: number; hi: number } {
  if (node.op === "Relu") return { lo: 0, hi: Infinity };
  return {
    lo: inputs[1]?.data[0] ?? realAttribute(node, "min", -Infinity),
    hi: inputs[2]?.data[0] ?? realAttribute(node, "max", Infinity),
  };
}

const bounded: Unary = (node, inputs) => {
  const { lo, hi } = boundsOf(node, inputs);
  return (x) => Math.min(Math.max(x, lo), hi);
};

/** Functions of one value; over codes each becomes a table of 256 entries. */
export const unary: Readonly<Record<string, Unary>> = {
  Relu: bounded,
  Clip: bounded,
  LeakyRelu: (node) => {
    const alpha = realAttribute(node, "alpha", 0.01);
    return (x) => (x < 0 ? alpha * x : x);
  },
  Elu: (node) => {
    const alpha = realAttribute(node, "alpha", 1);
    return (x) => (x < 0 ? alpha * Math.expm1(x) : x);
  },
  HardSigmoid: (node) => {
    const [alpha, beta] = [realAttribute(node, "alpha", 0.2), realAttribute(node, "beta", 0.5)];
    return (x) => clamp(alpha * x + beta, 0, 1);
  },
  HardSwish: () => (x) => x * clamp(x / 6 + 0.5, 0, 1),
  Sigmoid: () => sigmoid,
  Tanh: () => Math.tanh,
  Silu: () => (x) => x * sigmoid(x),
  Gelu: (node) =>
    stringAttribute(node, "approximate", "none") === "tanh"
      ? (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
      : (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  Exp: () => Math.exp,
  Sqrt: () => Math.sqrt,
  Neg: () => (x) => -x,
  Abs: () => Math.abs,
  Erf: () => erf,
  Floor: () => Math.floor,
  Ceil: () => Math.ceil,
  Identity: () => (x) => x,
};

type Binary = (a: number, b: number) => number;

export const binary: Readonly<Record<string, Binary>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
};

/** Integers wrap as typed arrays do; their quotient is truncated by them too. */
export function zip(a: Tensor, b: Tensor, of: Binary): Tensor {
  const shape = broadcastShapes(a.shape, b.shape);
  const [left, right] = [a, b].map((x) => offsets(shape, broadcastStrides(x.shape, shape)));
  const y = tensor(a.dtype, shape, []);
  for (let i = 0; i < y.data.length; i++) y.data[i] = of(a.data[left![i]!]!, b.data[right![i]!]!);
  return y;
}

/** A function of one value at every element. */
export const map = (of: (x: number) => number, x: Tensor): Tensor => ({ ...x, data: x.data.map(of) });

const each = (names: readonly string[], operator: Operator) =>
  Object.fromEntries(names.map((name) => [name, operator]));

export const elementwiseOperators: Readonly<Record<string, Operator>> = {
  ...each(Object.keys(unary), (node, inputs) => map(unary[node.op]!(node, inputs), need(node, inputs, 0))),
  ...each(Object.keys(binary), (node, inputs) =>
    zip(need(node, inputs, 0), need(node, inputs, 1), binary[node.op]!),
  ),
  /** Outside of training: everything is kept. */
  Dropout: (node, inputs) => {
    const x = need(node, inputs, 0);
    return [x, { dtype: "bool", shape: x.shape, data: new Uint8Array(x.data.length).fill(1) }];
  },
};
