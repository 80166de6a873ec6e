// What a test says itself of an op that the reference does not have.

import type { Node } from "../../src/graph/graph";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { map, type Unary } from "./elementwise";
import type { Codes, Sums } from "./integer";
import { need, type Operator } from "./node";

/** Real numbers in ONNX's order of dimensions. */
export interface Real {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** What an op computes, in float64: what is rounded once to f32, and what central differences are taken of. */
export type Forward = (node: Node, inputs: readonly (Real | undefined)[]) => readonly Real[];

/** What an op computes, said in one of the ways; over codes in another, where it is a layer. */
export interface Oracle {
  /** A function of one value. */
  readonly each?: Unary;
  /** All of it, in float64. */
  readonly forward?: Forward;
  /** All of it, element types and rounding included: of ops that move elements, or compute integers. */
  readonly operator?: Operator;
  /** Of a layer over codes: exact sums of products. */
  readonly sums?: (node: Node, x: Codes, w: Codes) => Sums;
}

/** Oracles by the names of their ops. */
export type Oracles = Readonly<Record<string, Oracle>>;

/** What an oracle says, as an operator of the reference. */
export function operatorOf({ operator, each, forward }: Oracle): Operator | undefined {
  if (operator) return operator;
  if (each) return (node, inputs) => map(each(node, inputs), need(node, inputs, 0));
  if (!forward) return undefined;
  return (node, inputs) => {
    const { dtype } = need(node, inputs, 0);
    const reals = inputs.map((x) => x && realOf(x));
    return forward(node, reals).map(({ shape, data }) => tensor(dtype, shape, data));
  };
}

export const realOf = ({ shape, data }: Pick<Tensor, "shape" | "data">): Real => ({
  shape,
  data: Float64Array.from(data),
});
