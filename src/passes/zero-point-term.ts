// What weights' zero points add to a layer where they do not go into its i8 codes:
// Σ (x − zx)(w − z) = Σ (x − zx)·w − z · Σ (x − zx). The sums of x alone are an integer region of their own, the layer
// over codes of ±1 with a single output; its float result is added to that of the layer over its weights.

import type { Node } from "../graph/graph";
import { sizeOf, type Tensor, tensor } from "../graph/tensor";
import { numberOf } from "../ops/op";
import type { CodedConstant } from "./coded-constant";
import type { CodeNames, GraphWriter } from "./graph-writer";

/** What makes −z[c]·sw[c] · Σ (x − zx). */
export interface ZeroPointTerm {
  /** Weights of the sums: one output, or all of them where every group has inputs of its own. */
  readonly codes: Tensor;
  readonly scale: Tensor;
  /** What sums that all outputs share are multiplied with, where that differs. */
  readonly factors: Tensor | undefined;
}

export const isGrouped = (node: Node): boolean => numberOf(node, "group", 1) !== 1;

/** That of a layer whose weights, their outputs along `axis`, have the zero points z, as many as scales. */
export function zeroPointTerm(
  node: Node,
  { codes: { shape }, scale }: CodedConstant,
  axis: number,
  z: Int32Array,
): ZeroPointTerm {
  const by = Float32Array.from(z, (zero, c) => -zero * scale.data[c]!);
  if (isGrouped(node)) return { ...summing(shape, axis, by), factors: undefined };
  const single = shape.with(axis, 1);
  if (by.length === 1) return { ...summing(single, axis, by), factors: undefined };
  const pixels = node.op === "Conv" ? shape.slice(2).map(() => 1) : [];
  return {
    ...summing(single, axis, Float32Array.of(1)),
    factors: tensor("f32", [by.length, ...pixels], by),
  };
}

/** Weights that are one number, or one an output: its sign is the code. */
function summing(shape: readonly number[], axis: number, by: Float32Array) {
  const inner = sizeOf(shape.slice(axis + 1));
  const signs = Array.from({ length: sizeOf(shape) }, (_, i) =>
    Math.sign(by[Math.floor(i / inner) % by.length]!),
  );
  const scales = by.map((factor) => Math.abs(factor) || 1);
  return {
    codes: tensor("i8", shape, signs),
    scale: tensor("f32", by.length === 1 ? [] : [by.length], scales),
  };
}

/** Writes the nodes that add the term to `result`, which is `output` then. */
export function addZeroPointTerm(
  writer: GraphWriter,
  { op, name, attributes }: Node,
  x: CodeNames,
  { codes, scale, factors }: ZeroPointTerm,
  result: string,
  output: string,
): void {
  const region = writer.fresh(`${name}_sums`);
  const weights = {
    codes: writer.constant(`${region}_codes`, codes),
    scale: writer.constant(`${region}_scale`, scale),
    axis: 0,
  };
  const reals = [x, weights].map((operand) => writer.dequantized(operand, region));
  const sums = writer.add(op, region, reals, [region], attributes, region);
  const term = factors
    ? writer.add(
        "Mul",
        `${name}_factors`,
        [sums, writer.constant(`${region}_factors`, factors)],
        [writer.fresh(`${name}_term`)],
      )
    : sums;
  writer.add("Add", `${name}_whole`, [result, term], [output]);
}
