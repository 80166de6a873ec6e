// Forms of operators that no kernel has, written with forms that have one: factors, transposed and computed operands and
// biases of Gemm, scales of LayerNormalization that are broadcast, Softmax over an axis that is not the last, and means over
// axes that are not neighbours. Two forms of one thing become one: means of images, and two Transposes in a row.

import type { Graph, Node, ValueType } from "../graph/graph";
import { type Tensor, tensor } from "../graph/tensor";
import { isOneRow } from "../ops/gemm";
import type { OpName } from "../ops/index";
import { inferTypes, type ToolkitOps } from "../ops/infer";
import { reducedAxes } from "../ops/math/reduce-mean";
import { numberOf } from "../ops/op";
import { isRowOf, rowsOf } from "../ops/sequence/layer-normalization";
import { softmaxAxis } from "../ops/softmax";
import { permutationOf } from "../ops/transpose";
import { Rewrite } from "./rewrite";

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
  Gemm: plainGemm,
  LayerNormalization: plainLayerNormalization,
  LogSoftmax: plainSoftmax,
  ReduceMean: plainReduceMean,
  Softmax: plainSoftmax,
  Transpose: joinTransposes,
};

/** Nodes in the place of one, the last of which makes its first output. */
class Steps {
  readonly nodes: Node[] = [];
  readonly #rewrite: Rewrite;
  readonly #node: Node;

  constructor(rewrite: Rewrite, node: Node) {
    this.#rewrite = rewrite;
    this.#node = node;
  }

  /** `isCore`: the one that keeps the node's name, and its further outputs. */
  add(op: string, inputs: readonly string[], attributes: Node["attributes"] = {}, isCore = false): string {
    const name = isCore ? this.#node.name : this.#rewrite.fresh(`${this.#node.name}_${op.toLowerCase()}`);
    const output = this.#rewrite.fresh(`${this.#node.outputs[0]}_${op.toLowerCase()}`);
    this.nodes.push({ op, name, inputs, outputs: [output], attributes });
    return output;
  }

  /** A constant of one number. */
  number(value: number): string {
    return this.#rewrite.hold(`${this.#node.name}_factor`, tensor("f32", [], [value]));
  }

  done(): void {
    const [first = "", ...others] = this.#node.outputs;
    const last = this.nodes.length - 1;
    const nodes = this.nodes.map((node, i) => {
      const more = node.name === this.#node.name ? others : [];
      return { ...node, outputs: [i === last ? first : node.outputs[0]!, ...more] };
    });
    this.#rewrite.replace(this.#node, ...nodes);
  }
}

/**
 * alpha · op(x) · op(w) + beta · b. Constants take the factors where f32 holds them: x · (alpha · w) + (beta · b). Kernels have
 * x · w of a constant w and a bias of one row, and products of two computed matrices.
 */
function plainGemm(node: Node, rewrite: Rewrite, types: ReadonlyMap<string, ValueType>): void {
  const [x, w, b = ""] = node.inputs as [string, string, string?];
  const [alpha, beta] = [numberOf(node, "alpha", 1), numberOf(node, "beta", 1)];
  const [weights, bias] = [rewrite.constant(w), rewrite.constant(b)];
  const { alpha: _alpha, beta: _beta, transA: _transA, ...attributes } = node.attributes;
  const isTurned = numberOf(node, "transA", 0) !== 0;
  const columns = types.get(node.outputs[0]!)!.shape[1]!;
  const isOwn = weights !== undefined && bias !== undefined && isOneRow(bias.shape, columns);
  if (alpha === 1 && beta === 1 && !isTurned && weights && (b === "" || isOwn)) return;
  if (isDequantized(w, rewrite) || isDequantized(b, rewrite)) return;
  const steps = new Steps(rewrite, node);
  const turn = { perm: [1, 0] };
  const left = isTurned ? steps.add("Transpose", [x], turn) : x;
  const added = bias && beta !== 1 ? rewrite.hold(b, scaled(bias, beta)) : b;
  const isFactored = weights !== undefined && holdsScaled(weights, alpha);
  let y: string;
  if (weights) {
    const right = isFactored && alpha !== 1 ? rewrite.hold(w, scaled(weights, alpha)) : w;
    y = steps.add("Gemm", isOwn && isFactored ? [left, right, added] : [left, right], attributes, true);
  } else {
    const right = numberOf(node, "transB", 0) !== 0 ? steps.add("Transpose", [w], turn) : w;
    y = steps.add("MatMul", [left, right], {}, true);
  }
  if (!isFactored && alpha !== 1) y = steps.add("Mul", [y, steps.number(alpha)]);
  if (b !== "" && !(isOwn && isFactored)) {
    const rest = bias || beta === 1 ? added : steps.add("Mul", [b, steps.number(beta)]);
    steps.add("Add", [y, rest]);
  }
  steps.done();
}

/** Whether a value is codes of a constant, dequantized, perhaps transposed: its layer becomes an integer layer first. */
function isDequantized(value: string, rewrite: Rewrite): boolean {
  const last = rewrite.producer(value);
  const node = last?.op === "Transpose" ? rewrite.producer(last.inputs[0]) : last;
  return node?.op === "DequantizeLinear" && rewrite.constant(node.inputs[0]) !== undefined;
}

/** Scale and bias that are not one number an element of what is normalized are applied behind it. */
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
 * PyTorch writes the one, the other the other. Of other axes, the mean over the last neighbours first, so that the axes before
 * them stay what they are.
 */
function plainReduceMean(node: Node, rewrite: Rewrite, types: ReadonlyMap<string, ValueType>): void {
  let y = node.inputs[0]!;
  const { shape } = types.get(y)!;
  const reduced = reducedAxes(node, shape.length);
  if (shape.length === 4 && `${reduced}` === "2,3") return meanOfImages(node, rewrite);
  const groups: number[][] = [];
  for (const axis of reduced) {
    const last = groups.at(-1);
    if (last?.at(-1) === axis - 1) last.push(axis);
    else groups.push([axis]);
  }
  if (groups.length < 2) return;
  const keepdims = numberOf(node, "keepdims", 1);
  const steps = new Steps(rewrite, node);
  for (const [i, axes] of groups.reverse().entries())
    y = steps.add(node.op, [y], { axes, keepdims }, i === groups.length - 1);
  steps.done();
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
