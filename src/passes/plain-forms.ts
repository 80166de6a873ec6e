// Forms of operators that no kernel has, written with forms that have one: products with known matrices as layers, all that Gemm
// can be, arithmetic on integers, scales of normalizations that are broadcast, and Softmax over an axis that is not the last. Two forms of
// one thing become one: means of images, and two Transposes in a row.

import type { Graph, Node, ValueType } from "../graph/graph";
import type { Tensor } from "../graph/tensor";
import type { OpName } from "../ops/index";
import { inferTypes, type ToolkitOps } from "../ops/infer";
import { isOneRow } from "../ops/linear";
import { numberOf, numbersOf } from "../ops/op";
import { reducedAxes } from "../ops/reduce/reduction";
import { isRowOf, rowsOf } from "../ops/sequence/layer-normalization";
import { softmaxAxis } from "../ops/softmax";
import { permutationOf, turned } from "../ops/transpose";
import { plainEinsum } from "./plain-einsum";
import { plainArithmetic, plainClip, plainPow, plainRelu } from "./plain-elementwise";
import { Rewrite } from "./rewrite";
import { Steps } from "./steps";

export function plainForms(graph: Graph, registry: ToolkitOps): Graph {
  const types = inferTypes(graph, registry);
  const rewrite = new Rewrite(graph);
  for (const node of graph.nodes) {
    const rule = (rules as Readonly<Record<string, Rule>>)[node.op];
    if (!node.codes) rule?.(node, rewrite, types);
  }
  return rewrite.done();
}

type Rule = (node: Node, rewrite: Rewrite, types: ReadonlyMap<string, ValueType>) => void;

const rules: { readonly [K in OpName]?: Rule } = {
  Add: plainArithmetic,
  Clip: plainClip,
  Div: plainArithmetic,
  Einsum: plainEinsum,
  Gemm: plainGemm,
  MatMul: plainMatMul,
  Mul: plainArithmetic,
  Pow: plainPow,
  Relu: plainRelu,
  Sub: plainArithmetic,
  LayerNormalization: plainLayerNormalization,
  LogSoftmax: plainSoftmax,
  ReduceMean: plainReduceMean,
  RMSNormalization: plainLayerNormalization,
  Softmax: plainSoftmax,
  Transpose: joinTransposes,
};

/** Exchanges the dimensions of a matrix. */
const TURN = { perm: [1, 0] };

/**
 * alpha · op(x) · op(w) + beta · b. Constants take the factors where f32 holds them: x · (alpha · w) + (beta · b). Kernels have
 * x · w of a known w and a bias of one row, and products of two computed matrices.
 */
function plainGemm(node: Node, rewrite: Rewrite, types: ReadonlyMap<string, ValueType>): void {
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
}

/**
 * Weights [n, k] of a layer, of a known matrix that is [n, k] (`isByOutput`) or [k, n]: a constant times a factor, or codes of a
 * constant under DequantizeLinear. Undefined where the matrix is computed.
 */
function layerWeights(
  steps: Steps,
  rewrite: Rewrite,
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

/** The product with a known matrix is a layer. */
function plainMatMul(node: Node, rewrite: Rewrite, types: ReadonlyMap<string, ValueType>): void {
  const [x, w] = node.inputs as [string, string];
  if (types.get(w)!.shape.length !== 2) return;
  const steps = new Steps(rewrite, node);
  const weights = layerWeights(steps, rewrite, w, false);
  if (weights === undefined) return;
  steps.add("Linear", [x, weights], {}, true);
  steps.done();
}

/**
 * What reads codes that are known, where a value is what they stand for, perhaps with its dimensions exchanged: codes in the file,
 * or of floats in the file.
 */
function dequantizedBy(value: string, rewrite: Rewrite) {
  const last = rewrite.producer(value);
  const isMoved = last?.op === "Transpose";
  const isTurned = isMoved && numbersOf(last, "perm", [1, 0])[0] === 1;
  const dequantize = isMoved ? rewrite.producer(last.inputs[0]) : last;
  const isKnown = (node: Node) => node.inputs.every((name) => name === "" || rewrite.constant(name));
  if (dequantize?.op !== "DequantizeLinear") return undefined;
  const quantize = rewrite.producer(dequantize.inputs[0], "QuantizeLinear");
  return isKnown(quantize ?? dequantize) ? { dequantize, isTurned } : undefined;
}

/** Scale and bias that are not one number for each normalized element are applied after it. */
function plainLayerNormalization(node: Node, rewrite: Rewrite, types: ReadonlyMap<string, ValueType>): void {
  const [x, scale, bias = ""] = node.inputs as [string, string, string?];
  const { shape } = types.get(x)!;
  const { axis, cols } = rowsOf(node, shape);
  const fits = [scale, bias].every((name) => name === "" || isRowOf(types.get(name)!.shape, shape, axis));
  if (fits || typeof cols !== "number") return;
  const steps = new Steps(rewrite, node);
  const ones = rewrite.holdRepeated(`${node.name}_ones`, 1, cols);
  const y = steps.add(node.op, [x, ones], node.attributes, true);
  const product = steps.add("Mul", [y, scale]);
  if (bias !== "") steps.add("Add", [product, bias]);
  steps.done();
}

/** The axis and the last one change places before and after. */
function plainSoftmax(node: Node, rewrite: Rewrite, types: ReadonlyMap<string, ValueType>): void {
  const x = node.inputs[0]!;
  const rank = types.get(x)!.shape.length;
  const axis = softmaxAxis(node, rank);
  if (axis === rank - 1) return;
  const perm = Array.from({ length: rank }, (_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));
  const steps = new Steps(rewrite, node);
  const rows = steps.add("Transpose", [x], { perm });
  steps.add("Transpose", [steps.add(node.op, [rows], { axis: -1 }, true)], { perm });
  steps.done();
}

/** z's dimension i is y's perm[i], which is x's before[perm[i]]. */
function joinTransposes(node: Node, rewrite: Rewrite, types: ReadonlyMap<string, ValueType>): void {
  const inner = rewrite.producer(node.inputs[0]);
  if (inner?.op !== node.op || inner.codes) return;
  const { length } = types.get(node.inputs[0]!)!.shape;
  const before = permutationOf(inner, length);
  const perm = permutationOf(node, length).map((axis) => before[axis]!);
  rewrite.replace(node, { ...node, inputs: inner.inputs, attributes: { perm } });
}

/**
 * The mean over height and width is GlobalAveragePool, followed by Flatten where the dimensions are not kept: one exporter of
 * PyTorch writes the one, the other the other.
 */
function plainReduceMean(node: Node, rewrite: Rewrite, types: ReadonlyMap<string, ValueType>): void {
  const { dtype, shape } = types.get(node.inputs[0]!)!;
  const isOfImages = dtype === "f32" && shape.length === 4;
  if (isOfImages && `${reducedAxes(node, shape.length)}` === "2,3") meanOfImages(node, rewrite);
}

function meanOfImages(node: Node, rewrite: Rewrite): void {
  const pool = { ...node, op: "GlobalAveragePool", attributes: {} };
  if (numberOf(node, "keepdims", 1) !== 0) return rewrite.replace(node, pool);
  const means = rewrite.fresh(`${node.outputs[0]}_map`);
  const name = rewrite.fresh(`${node.name}_flatten`);
  const flatten = { ...node, op: "Flatten", name, inputs: [means], attributes: { axis: 1 } };
  rewrite.replace(node, { ...pool, outputs: [means] }, flatten);
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
