// The functions that gates, candidates and states of recurrent layers go through, by ONNX's names.

import {
  AFFINE,
  ELU,
  HARD_SIGMOID,
  LEAKY_RELU,
  RELU,
  SCALED_TANH,
  SIGMOID,
  SOFTPLUS,
  SOFTSIGN,
  TANH,
  THRESHOLDED_RELU,
} from "../../../assembly/recurrent/sizes";
import type { Node } from "../../graph/graph";
import { numbersOf, opError } from "../op";

/** A function as kernels know it, and the numbers it takes where a node gives none; NaN: it has to give one, as runtimes differ. */
interface Known {
  readonly kind: number;
  readonly alpha?: number;
  readonly beta?: number;
}

const known: Readonly<Record<string, Known>> = {
  affine: { kind: AFFINE, alpha: Number.NaN, beta: Number.NaN },
  elu: { kind: ELU, alpha: 1 },
  hardsigmoid: { kind: HARD_SIGMOID, alpha: 0.2, beta: 0.5 },
  leakyrelu: { kind: LEAKY_RELU, alpha: 0.01 },
  relu: { kind: RELU },
  scaledtanh: { kind: SCALED_TANH, alpha: Number.NaN, beta: Number.NaN },
  sigmoid: { kind: SIGMOID },
  softplus: { kind: SOFTPLUS },
  softsign: { kind: SOFTSIGN },
  tanh: { kind: TANH },
  thresholdedrelu: { kind: THRESHOLDED_RELU, alpha: Number.NaN },
};

export interface Activation {
  readonly kind: number;
  readonly alpha: number;
  readonly beta: number;
}

/** The functions of each direction. Numbers are handed out in their order, to those that take some. */
export function functionsOf(node: Node, usual: readonly string[], directions: number): Activation[][] {
  const named = (node.attributes.activations ?? []) as readonly unknown[];
  const all = named.length > 0 ? named : Array.from({ length: directions }, () => usual).flat();
  if (!Array.isArray(named) || all.length !== usual.length * directions)
    throw opError(node, "activations do not fit", {
      expected: `${usual.length} for each of ${directions} direction(s)`,
      got: `${all.length}`,
    });
  const alphas = [...numbersOf(node, "activation_alpha", [])];
  const betas = [...numbersOf(node, "activation_beta", [])];
  const functions = all.map((name): Activation => {
    const key = String(name).toLowerCase();
    if (!Object.hasOwn(known, key))
      throw opError(node, "an activation is unknown", { expected: usual.join(", "), got: `${name}` });
    const own = known[key]!;
    const alpha = own.alpha === undefined ? 0 : (alphas.shift() ?? own.alpha);
    const beta = own.beta === undefined ? 0 : (betas.shift() ?? own.beta);
    if (Number.isNaN(alpha + beta)) throw opError(node, `${name} is without its alpha or beta`);
    return { kind: own.kind, alpha, beta };
  });
  return Array.from({ length: directions }, (_, i) =>
    functions.slice(i * usual.length, (i + 1) * usual.length),
  );
}
