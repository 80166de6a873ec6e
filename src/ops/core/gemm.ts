// General matrix product, which has no kernels of its own: simplifying a graph makes Linear of it where its weights are known,
// else MatMul, Mul and Add.

import type { Node } from "../../graph/graph";
import { formatShape } from "../../graph/symbols";
import type { Tensor } from "../../graph/tensor";
import { isWithin } from "../broadcast";
import { mayEqual } from "../equal";
import { floatType, numberOf, numbersOf, type Op, opError, type Traits } from "../op";
import { type PlainRule, type Rewriting, Steps } from "../steps";
import { isOneRow } from "./linear";
import { turned } from "./transpose";

/** ONNX Gemm-13: alpha · op(a) · op(b) + beta · c; a [m, k] or with transA [k, m], b [k, n] or with transB [n, k]. */
export const gemm: Op = {
  inputs: 3,
  attributes: ["alpha", "beta", "transA", "transB"],
  infer(node, inputs) {
    const [a, b] = [floatType(node, inputs, 0), floatType(node, inputs, 1)];
    const [m, k] = numberOf(node, "transA", 0) ? [a.shape[1], a.shape[0]] : a.shape;
    const [inner, n] = numberOf(node, "transB", 0) ? [b.shape[1], b.shape[0]] : b.shape;
    if (a.shape.length !== 2 || b.shape.length !== 2 || !mayEqual(k!, inner!))
      throw opError(node, "inner sizes differ", {
        expected: `[m, k] × [k, n]`,
        got: `${formatShape(a.shape)} × ${formatShape(b.shape)} with transA ${numberOf(node, "transA", 0)}, transB ${numberOf(node, "transB", 0)}`,
      });
    if (inputs[2] && !isWithin(floatType(node, inputs, 2).shape, [m!, n!]))
      throw opError(node, "the bias does not fit", {
        expected: `what broadcasts to ${formatShape([m!, n!])}`,
        got: formatShape(inputs[2].shape),
      });
    return [{ dtype: "f32", shape: [m!, n!] }];
  },
  rows: true,
};

export const gemmTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  equal: (node, [a, b]) => [
    [a![numberOf(node, "transA", 0) ? 0 : 1], b![numberOf(node, "transB", 0) ? 1 : 0]],
  ],
};

/** Exchanges the dimensions of a matrix. */
const TURN = { perm: [1, 0] };

/**
 * alpha · op(x) · op(w) + beta · b. Constants take the factors where f32 holds them: x · (alpha · w) + (beta · b). Kernels have
 * x · w of a known w and a bias of one row, and products of two computed matrices.
 */
export const gemmPlain: PlainRule = (node, rewrite, types) => {
  const [x, w, b = ""] = node.inputs as [string, string, string?];
  const [alpha, beta] = [numberOf(node, "alpha", 1), numberOf(node, "beta", 1)];
  const [weights, bias] = [rewrite.constant(w), rewrite.constant(b)];
  const [isXTurned, isWTurned] = ["transA", "transB"].map((name) => numberOf(node, name, 0) !== 0);
  const columns = types.get(node.outputs[0]!)!.shape[1]!;
  const isRow = b !== "" && isOneRow(types.get(b)!.shape, columns);
  const isOwn = bias !== undefined && isRow;
  const isCoded = [w, b].some((value) => dequantizedBy(value, rewrite));
  const isKnownRow = isRow && (isOwn || dequantizedBy(b, rewrite) !== undefined);
  const isPlain = alpha === 1 && beta === 1 && !isXTurned && (b === "" || isKnownRow);
  // It becomes an integer layer first, or floats.
  if (isCoded && !isPlain) return;
  const steps = new Steps(rewrite, node);
  const left = isXTurned ? steps.add("Transpose", [x], TURN) : x;
  const added = bias && beta !== 1 ? rewrite.hold(b, scaled(bias, beta)) : b;
  const isFactored = isCoded || (weights !== undefined && holdsScaled(weights, alpha));
  const isFused = isCoded || (isOwn && isFactored);
  const known = layerWeights(steps, rewrite, w, isWTurned!, isFactored ? alpha : 1);
  let y: string;
  if (known) y = steps.add("Linear", isFused ? [left, known, added] : [left, known], {}, true);
  else y = steps.add("MatMul", [left, isWTurned ? steps.add("Transpose", [w], TURN) : w], {}, true);
  if (!isFactored && alpha !== 1) y = steps.add("Mul", [y, steps.number(alpha)]);
  if (b !== "" && !(known && isFused)) {
    const rest = bias || beta === 1 ? added : steps.add("Mul", [b, steps.number(beta)]);
    steps.add("Add", [y, rest]);
  }
  steps.done();
};

/**
 * Weights [n, k] of a layer, of a known matrix that is [n, k] (`isByOutput`) or [k, n]: a constant times a factor, or codes of a
 * constant under DequantizeLinear. Undefined where the matrix is computed.
 */
export function layerWeights(
  steps: Steps,
  rewrite: Rewriting,
  matrix: string,
  isByOutput: boolean,
  factor = 1,
): string | undefined {
  const constant = rewrite.constant(matrix);
  if (constant && factor !== 1)
    return rewrite.hold(matrix, scaled(isByOutput ? constant : turned(constant), factor));
  if (constant) return isByOutput ? matrix : rewrite.holdTurned(matrix);
  const { dequantize, isTurned } = dequantizedBy(matrix, rewrite) ?? {};
  if (!dequantize) return undefined;
  if (isTurned !== isByOutput) return dequantize.outputs[0]!;
  if (!rewrite.constant(dequantize.inputs[0])) return steps.add("Transpose", [dequantize.outputs[0]!], TURN);
  const inputs = dequantize.inputs.map((name) => {
    const isMatrix = rewrite.constant(name)?.shape.length === 2;
    return isMatrix ? rewrite.holdTurned(name, `${name}_turned`) : name;
  });
  const [name, output] = [dequantize.name, dequantize.outputs[0]!].map((of) => rewrite.fresh(`${of}_turned`));
  const axis = numberOf(dequantize, "axis", 1);
  const attributes = { ...dequantize.attributes, axis: axis < 0 ? -3 - axis : 1 - axis };
  steps.nodes.push({ ...dequantize, name: name!, inputs, outputs: [output!], attributes });
  return output;
}

/**
 * What reads codes that are known, where a value is what they stand for, perhaps with its dimensions exchanged: codes in the file,
 * or of floats in the file.
 */
function dequantizedBy(value: string, rewrite: Rewriting) {
  const last = rewrite.producer(value);
  const isMoved = last?.op === "Transpose";
  const isTurned = isMoved && numbersOf(last, "perm", [1, 0])[0] === 1;
  const dequantize = isMoved ? rewrite.producer(last.inputs[0]) : last;
  const isKnown = (node: Node) => node.inputs.every((name) => name === "" || rewrite.constant(name));
  if (dequantize?.op !== "DequantizeLinear") return undefined;
  const quantize = rewrite.producer(dequantize.inputs[0], "QuantizeLinear");
  return isKnown(quantize ?? dequantize) ? { dequantize, isTurned } : undefined;
}

const scaled = ({ dtype, shape, data }: Tensor, factor: number): Tensor => ({
  dtype,
  shape,
  data: Float32Array.from(data, (value) => Math.fround(value * Math.fround(factor))),
});

/** Least of the largest product of which no other one needs a bit that f32 does not have. */
const LEAST = 2 ** -102;

/** Whether f32 holds products with a factor: none overflows, and not all are so small that they lose bits. */
function holdsScaled({ data }: Tensor, factor: number): boolean {
  let most = 0;
  for (const value of data) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  const largest = Math.fround(most * Math.abs(factor));
  return most * factor === 0 || (largest >= LEAST && Number.isFinite(largest));
}
