// Gradients of recurrent layers. Those of the gates at every step are one op; those of inputs, weights and biases are products and sums of them.

import { countOf, type Dim, type Shape } from "../../graph/symbols";
import { tensor } from "../../graph/tensor";
import { numberOf, opError, type Quantization, type Unit } from "../../ops/op";
import type { Backward, Rule } from "./rule";

/** A value of every step and row of each direction, as a stack of matrices. */
interface Steps {
  readonly value: string;
  readonly width: number;
}

class Products {
  readonly #b: Backward;
  readonly #directions: number;
  readonly #all: Dim;

  constructor(b: Backward, x: string, r: string) {
    this.#b = b;
    this.#all = countOf(b.type(x).shape.slice(0, 2));
    this.#directions = b.type(r).shape[0] as number;
  }

  flat(value: string, width: number): Steps {
    const shape = [this.#directions, this.#all, width];
    return { value: this.#b.write("Reshape", [value], { shape, allowzero: 1 })[0], width };
  }

  /** The numbers of some gates. */
  part({ value }: Steps, from: number, to: number): Steps {
    const attributes = { starts: [from], ends: [to], axes: [2] };
    return { value: this.#b.write("Slice", [value], attributes)[0], width: to - from };
  }

  /** aᵀ·b, of each direction. */
  product(a: Steps, b: string): string {
    const turned = this.#b.write("Transpose", [a.value], { perm: [0, 2, 1] })[0];
    return this.#b.write("MatMul", [turned, b])[0];
  }

  /** Sums over all steps and rows. */
  sum({ value }: Steps): string {
    return this.#b.write("ReduceSum", [value], { axes: [1], keepdims: 0 })[0];
  }

  join(axis: number, ...parts: readonly string[]): string {
    return parts.length === 1 ? parts[0]! : this.#b.write("Concat", parts, { axis })[0];
  }

  /** dz·W, over all directions, in the shape of x. */
  input({ value }: Steps, w: string, shape: Shape): string {
    const each = this.#b.write("MatMul", [value, w])[0];
    const sum = this.#b.write("ReduceSum", [each], { axes: [0], keepdims: 0 })[0];
    return this.#b.write("Reshape", [sum], { shape, allowzero: 1 })[0];
  }

  /** The numbers of x as one matrix. */
  rows(x: string, real: string): string {
    const shape = [this.#all, this.#b.type(x).shape[2]!];
    return this.#b.write("Reshape", [real], { shape, allowzero: 1 })[0];
  }
}

/**
 * A layer's inputs as floats: what codes of weights stand for, and of x the numbers that they were made of where a run finds their ranges. States
 * are not rounded then, which changes them by half a step at most.
 */
function realInputs({ node, inputs, integer }: Unit, b: Backward): readonly string[] {
  const ofWeights = (codes: string, q: Quantization) => {
    const scale = q.dynamic?.scale ?? b.data(tensor("f32", [q.scale.length], q.scale));
    return b.write("DequantizeWeights", [codes, scale])[0];
  };
  return inputs.map((value, i) => {
    const q = integer?.inputs[i];
    if (!q) return value;
    if (i > 0) return ofWeights(value, q);
    if (q.dynamic) return b.quantized(value);
    const { scale, zeroPoint } = node.codes!.inputs[0]!;
    return b.write("DequantizeLinear", zeroPoint === "" ? [value, scale] : [value, scale, zeroPoint])[0];
  });
}

/** Gives x, W, and what else every kind gives alike; `recurrent` makes the gradient of R, `sums` those of R's bias, by default those of W's. */
function giveAll(
  { inputs }: Unit,
  [xReal, wReal]: readonly string[],
  b: Backward,
  p: Products,
  dz: Steps,
  recurrent: () => string,
  sums: (own: string) => string = (own) => own,
): void {
  const [x, w, r, bias = ""] = inputs as [string, string, string, string?];
  if (b.wants(x)) b.give(x, p.input(dz, wReal!, b.type(x).shape));
  if (b.wants(w)) b.give(w, p.product(dz, p.rows(x, xReal!)));
  if (b.wants(r)) b.give(r, recurrent());
  if (bias === "" || !b.wants(bias)) return;
  const own = p.sum(dz);
  b.give(bias, p.join(1, own, sums(own)));
}

/** Nodes whose gradient is known: what is clipped is not kept. */
function checkPlain({ node, inputs }: Unit, b: Backward, peepholes?: number): void {
  if (numberOf(node, "clip", 0) > 0)
    throw opError(node, "what its gates are given is clipped, which has no gradient here", {
      expected: "clip 0",
    });
  const p = peepholes === undefined ? "" : (inputs[peepholes] ?? "");
  if (p !== "" && b.wants(p))
    throw opError(node, "its peepholes have no gradient", { hint: "Leave them as they are" });
}

/** Inputs, in as many places as the layer may have, and the gradients of its outputs. */
const operands = (
  inputs: readonly string[],
  count: number,
  dy: readonly (string | undefined)[],
  outputs: number,
) => [
  ...Array.from({ length: count }, (_, i) => inputs[i] ?? ""),
  ...Array.from({ length: outputs }, (_, i) => dy[i] ?? ""),
];

export const lSTM: Rule = (unit, dy, b) => {
  const { node, inputs } = unit;
  checkPlain(unit, b, 7);
  const [x, , r, , , h0 = "", c0 = ""] = inputs as [string, string, string, ...string[]];
  const real = realInputs(unit, b);
  const [dz, before, dh, dc] = b.write("LSTMGradient", operands(real, 8, dy, 3), node.attributes, 4);
  const hidden = b.type(r).shape[2] as number;
  const p = new Products(b, x, r);
  const gates = p.flat(dz, 4 * hidden);
  giveAll(unit, real, b, p, gates, () => p.product(gates, p.flat(before!, hidden).value));
  if (h0 !== "" && b.wants(h0)) b.give(h0, dh!);
  if (c0 !== "" && b.wants(c0)) b.give(c0, dc!);
};

export const gRU: Rule = (unit, dy, b) => {
  const { node, inputs } = unit;
  checkPlain(unit, b);
  const [x, , r, , , h0 = ""] = inputs as [string, string, string, ...string[]];
  const real = realInputs(unit, b);
  const [dz, before, dh, saved] = b.write("GRUGradient", operands(real, 6, dy, 2), node.attributes, 4);
  const hidden = b.type(r).shape[2] as number;
  const isAfter = numberOf(node, "linear_before_reset", 0) !== 0;
  const p = new Products(b, x, r);
  const gates = p.flat(dz, 3 * hidden);
  const recurrent = () => {
    const h = p.flat(before!, hidden);
    const candidate = p.flat(saved!, hidden);
    const news = p.part(gates, 2 * hidden, 3 * hidden);
    const own = isAfter ? p.product(candidate, h.value) : p.product(news, candidate.value);
    return p.join(1, p.product(p.part(gates, 0, 2 * hidden), h.value), own);
  };
  const sums = (own: string) =>
    isAfter ? p.join(1, p.sum(p.part(gates, 0, 2 * hidden)), p.sum(p.flat(saved!, hidden))) : own;
  giveAll(unit, real, b, p, gates, recurrent, sums);
  if (h0 !== "" && b.wants(h0)) b.give(h0, dh!);
};

export const rNN: Rule = (unit, dy, b) => {
  const { node, inputs } = unit;
  checkPlain(unit, b);
  const [x, , r, , , h0 = ""] = inputs as [string, string, string, ...string[]];
  const real = realInputs(unit, b);
  const [dz, before, dh] = b.write("RNNGradient", operands(real, 6, dy, 2), node.attributes, 3);
  const hidden = b.type(r).shape[2] as number;
  const p = new Products(b, x, r);
  const gates = p.flat(dz, hidden);
  giveAll(unit, real, b, p, gates, () => p.product(gates, p.flat(before!, hidden).value));
  if (h0 !== "" && b.wants(h0)) b.give(h0, dh!);
};
