// What weights' zero points add to a layer where they do not go into its i8 codes:
// Σ (x − zx)(w − z) = Σ (x − zx)·w − z · Σ (x − zx). The sums of x alone are an integer layer of their own, the layer
// over codes of ±1 with a single output; its float result is added to that of the layer over its weights.

import type { Node } from "../../graph/graph";
import { sizeOf, type Tensor, tensor } from "../../graph/tensor";
import { plus, times } from "../../ops/compose";
import { numberOf } from "../../ops/op";
import { codeParameters, type GraphWriter, type NamedCodes } from "../../rewrite/graph-writer";
import type { CodedConstant } from "./coded-constant";

/** What makes −z[c]·sw[c] · Σ (x − zx). */
export interface ZeroPointTerm {
  /** Weights of the sums: one output, or all of them where every group has inputs of its own. */
  readonly codes: Tensor;
  /** One in all. */
  readonly scale: Tensor;
  /** What the sums are multiplied with after them, where outputs differ in that. */
  readonly factors: Tensor | undefined;
}

export const isGrouped = (node: Node): boolean => numberOf(node, "group", 1) !== 1;

/** That of a layer whose weights have the zero points z, as many as scales. */
export function zeroPointTerm(
  node: Node,
  { codes: { shape }, scale }: CodedConstant,
  z: Int32Array,
): ZeroPointTerm {
  const factors = Float32Array.from(z, (zero, c) => -zero * scale.data[c]!);
  const factor = factors.length === 1 ? factors[0]! : 1;
  const summing = isGrouped(node) ? shape : shape.with(0, 1);
  const pixels = shape.slice(2).map(() => 1);
  return {
    codes: tensor("i8", summing, new Int8Array(sizeOf(summing)).fill(Math.sign(factor))),
    scale: tensor("f32", [], [Math.abs(factor)]),
    factors: factors.length === 1 ? undefined : tensor("f32", [factors.length, ...pixels], factors),
  };
}

/** Writes the nodes that add the term to `result`, which is `output` then. */
export function addZeroPointTerm(
  writer: GraphWriter,
  { op, name, attributes }: Node,
  x: NamedCodes,
  { codes, scale, factors }: ZeroPointTerm,
  result: string,
  output: string,
): void {
  const sums = writer.fresh(`${name}_sums`);
  const weights = writer.constant(`${sums}_codes`, codes);
  const own = { scale: writer.constant(`${sums}_scale`, scale), zeroPoint: "" };
  const codesOf = { inputs: [codeParameters(x), own] };
  let term = writer.add(op, sums, [x.codes, weights], [sums], attributes, codesOf);
  if (factors) {
    const scaled = times(sums, writer.constant(`${sums}_factors`, factors));
    term = writer.add(scaled.op, `${name}_factors`, scaled.inputs, [writer.fresh(`${name}_term`)]);
  }
  const whole = plus(result, term);
  writer.add(whole.op, `${name}_whole`, whole.inputs, [output]);
}
