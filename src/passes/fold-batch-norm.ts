// BatchNormalization with given statistics is y = a·x + b for every channel. It is folded into the Conv or Gemm before
// it, into a Conv without padding behind it, or written as Mul and Add. Computed in float64, rounded once.

import type { Graph, Node } from "../graph/graph";
import { sizeOf, type Tensor, tensor } from "../graph/tensor";
import { inferTypes, type ToolkitOps } from "../ops/infer";
import { numberOf, numbersOf, stringOf } from "../ops/op";
import { Rewrite } from "./rewrite";
import type { Room } from "./room";

/** a and b of every channel, in float64. */
interface Affine {
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/** y = (x − mean) · scale / √(var + ε) + bias. Undefined when a statistic is computed. */
function affineOf(node: Node, rewrite: Rewrite): Affine | undefined {
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => rewrite.constant(node.inputs[i])?.data);
  if (!scale || !bias || !mean || !variance || node.region !== undefined) return undefined;
  const epsilon = numberOf(node, "epsilon", 1e-5);
  const a = Float64Array.from(scale, (s, c) => s / Math.sqrt(variance[c]! + epsilon));
  return { a, b: a.map((factor, c) => bias[c]! - mean[c]! * factor) };
}

/** Folds every BatchNormalization that has a linear neighbour of its own. */
export function foldBatchNorm(graph: Graph, _: ToolkitOps, room?: Room): Graph {
  const rewrite = new Rewrite(graph, room);
  for (const norm of graph.nodes) {
    if (norm.op !== "BatchNormalization") continue;
    const before = rewrite.soleProducer(norm.inputs[0]);
    const after = rewrite.soleConsumer(norm.outputs[0]!, "Conv");
    if (before?.op !== "Conv" && before?.op !== "Gemm" && !after) continue;
    const affine = affineOf(norm, rewrite);
    if (!affine) continue;
    const folded = before && (intoConv(before, affine, rewrite) ?? intoGemm(before, affine, rewrite));
    if (before && folded) {
      rewrite.replace(before, { ...folded, outputs: norm.outputs });
      rewrite.replace(norm);
      continue;
    }
    const absorbed = after && intoNextConv(norm, after, affine, rewrite);
    if (!absorbed) continue;
    rewrite.replace(after, absorbed);
    rewrite.replace(norm);
  }
  return rewrite.done();
}

/** The bias, or a name for one. */
const biasName = (node: Node) => node.inputs[2] || `${node.name}_bias`;

/** w'[o] = a[o]·w[o], bias' = a·bias + b. */
function intoConv(conv: Node, { a, b }: Affine, rewrite: Rewrite): Node | undefined {
  const [x, w = "", bias = ""] = conv.inputs;
  const weight = rewrite.constant(w);
  const old = rewrite.constant(bias);
  if (conv.op !== "Conv" || weight?.dtype !== "f32" || (bias !== "" && !old)) return undefined;
  if (weight.shape[0] !== a.length) return undefined;
  const perOutput = weight.data.length / a.length;
  const scaled = Float32Array.from(weight.data, (value, i) => value * a[Math.floor(i / perOutput)]!);
  const shifted = Float32Array.from(a, (factor, c) => (old?.data[c] ?? 0) * factor + b[c]!);
  return {
    ...conv,
    inputs: [
      x!,
      rewrite.hold(w, { ...weight, data: scaled }),
      rewrite.hold(biasName(conv), tensor("f32", [a.length], shifted)),
    ],
  };
}

/** The columns of B and the bias, likewise. */
function intoGemm(gemm: Node, { a, b }: Affine, rewrite: Rewrite): Node | undefined {
  const [x, w = "", bias = ""] = gemm.inputs;
  const weight = rewrite.constant(w);
  const old = rewrite.constant(bias);
  if (gemm.op !== "Gemm" || weight?.dtype !== "f32" || weight.shape.length !== 2) return undefined;
  const isTransposed = numberOf(gemm, "transB", 0) !== 0;
  const [rows, cols] = weight.shape as [number, number];
  const isVector = old && (old.data.length === a.length || old.data.length === 1);
  if ((isTransposed ? rows : cols) !== a.length || (bias !== "" && !isVector)) return undefined;
  const beta = numberOf(gemm, "beta", 1);
  const columnOf = (i: number) => (isTransposed ? Math.floor(i / cols) : i % cols);
  const scaled = Float32Array.from(weight.data, (value, i) => value * a[columnOf(i)]!);
  const shifted = Float32Array.from(a, (factor, c) => {
    const own = old ? old.data[old.data.length === 1 ? 0 : c]! : 0;
    return beta * own * factor + b[c]!;
  });
  return {
    ...gemm,
    inputs: [
      x!,
      rewrite.hold(w, { ...weight, data: scaled }),
      rewrite.hold(biasName(gemm), tensor("f32", [a.length], shifted)),
    ],
    attributes: { ...gemm.attributes, beta: 1 },
  };
}

/** w'[o, i] = w[o, i]·a[i], bias'[o] = bias[o] + Σ w[o, i]·b[i]: exact only where no padding stands for x = 0. */
function intoNextConv(norm: Node, conv: Node, { a, b }: Affine, rewrite: Rewrite): Node | undefined {
  const [, w = "", bias = ""] = conv.inputs;
  const weight = rewrite.constant(w);
  const old = rewrite.constant(bias);
  const autoPad = stringOf(conv, "auto_pad", "NOTSET");
  const isPadded = numbersOf(conv, "pads", []).some((pad) => pad !== 0) || autoPad.startsWith("SAME");
  if (isPadded || conv.region !== undefined || conv.inputs[0] !== norm.outputs[0]) return undefined;
  if (weight?.dtype !== "f32" || (bias !== "" && !old)) return undefined;
  const [outputs, inputs] = weight.shape as [number, number];
  const perGroup = outputs / numberOf(conv, "group", 1);
  const taps = sizeOf(weight.shape.slice(2));
  if ((outputs / perGroup) * inputs !== a.length) return undefined;
  const channelOf = (i: number) => {
    const o = Math.floor(i / (inputs * taps));
    return Math.floor(o / perGroup) * inputs + (Math.floor(i / taps) % inputs);
  };
  const sums = Float64Array.from({ length: outputs }, (_, o) => old?.data[o] ?? 0);
  for (let i = 0; i < weight.data.length; i++)
    sums[Math.floor(i / (inputs * taps))]! += weight.data[i]! * b[channelOf(i)]!;
  const scaled = Float32Array.from(weight.data, (value, i) => value * a[channelOf(i)]!);
  return {
    ...conv,
    inputs: [
      norm.inputs[0]!,
      rewrite.hold(w, { ...weight, data: scaled }),
      rewrite.hold(biasName(conv), tensor("f32", [outputs], sums)),
    ],
  };
}

/** Writes every BatchNormalization that is left as Mul and Add, which have kernels. */
export function splitBatchNorm(graph: Graph, registry: ToolkitOps, room?: Room): Graph {
  const norms = graph.nodes.filter((node) => node.op === "BatchNormalization");
  if (norms.length === 0) return graph;
  const types = inferTypes(graph, registry);
  const rewrite = new Rewrite(graph, room);
  for (const norm of norms) {
    const affine = affineOf(norm, rewrite);
    if (!affine) continue;
    const rank = types.get(norm.inputs[0]!)!.shape.length;
    const shape = [affine.a.length, ...new Array<number>(Math.max(0, rank - 2)).fill(1)];
    const constant = (of: string, values: Float64Array): string => {
      const held: Tensor = tensor("f32", shape, values);
      return rewrite.hold(of, held);
    };
    const scaled = rewrite.fresh(`${norm.outputs[0]}_scaled`);
    rewrite.replace(
      norm,
      {
        op: "Mul",
        name: rewrite.fresh(`${norm.name}_scale`),
        inputs: [norm.inputs[0]!, constant(norm.inputs[1]!, affine.a)],
        outputs: [scaled],
        attributes: {},
      },
      {
        op: "Add",
        name: norm.name,
        inputs: [scaled, constant(norm.inputs[2]!, affine.b)],
        outputs: norm.outputs,
        attributes: {},
      },
    );
  }
  return rewrite.done();
}
