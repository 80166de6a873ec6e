// BatchNormalization with given statistics is y = a·x + b for every channel. It is folded into the layer before
// it, into a Conv without padding after it, or written as Mul and Add. Computed in float64, rounded once.

import type { Graph, Node } from "../graph/graph";
import { type Tensor, tensor } from "../graph/tensor";
import { plus, times } from "../ops/compose";
import { computedBatchNorm, isTraining } from "../ops/core/batch-normalization";
import { inferTypes, type ToolkitOps } from "../ops/infer";
import { isConvolution, isLayer, layerForm, visitWeights } from "../ops/linear-layer";
import { numberOf, numbersOf, stringOf } from "../ops/op";
import { Rewrite } from "../rewrite/changes";
import type { Room } from "../rewrite/room";

/** a and b of every channel, in float64. */
interface Affine {
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/** y = (x − mean) · scale / √(var + ε) + bias. Undefined when a statistic is computed. */
function affineOf(node: Node, rewrite: Rewrite): Affine | undefined {
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => rewrite.constant(node.inputs[i])?.data);
  if (!scale || !bias || !mean || !variance || node.codes || isTraining(node)) return undefined;
  const epsilon = numberOf(node, "epsilon", 1e-5);
  const a = Float64Array.from(scale, (s, c) => s / Math.sqrt(variance[c]! + epsilon));
  return { a, b: a.map((factor, c) => bias[c]! - mean[c]! * factor) };
}

/** Folds every BatchNormalization that has a linear neighbour of its own. */
export function foldBatchNorm(graph: Graph, registry: ToolkitOps, room?: Room): Graph {
  const rewrite = new Rewrite(graph, room);
  for (const norm of graph.nodes) {
    if (norm.op !== "BatchNormalization") continue;
    const before = rewrite.soleProducer(norm.inputs[0]);
    const after = rewrite.soleConsumer(norm.outputs[0]!, "Conv");
    const layer = before && isLayer(before, registry) ? before : undefined;
    if (!layer && !after) continue;
    const affine = affineOf(norm, rewrite);
    if (!affine) continue;
    const folded = layer && hasSameChannels(layer, rewrite, registry) && intoLayer(layer, affine, rewrite);
    if (folded) {
      rewrite.replace(layer, { ...folded, outputs: norm.outputs });
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

/** Whether a layer's channels lie where BatchNormalization has its own: on axis 1. */
const hasSameChannels = (layer: Node, rewrite: Rewrite, registry: ToolkitOps): boolean =>
  isConvolution(layer, registry) || rewrite.type(layer.outputs[0]!, registry).shape.length === 2;

/** The bias, or a name for one. */
const biasName = (node: Node) => node.inputs[2] || `${node.name}_bias`;

/** w'[o] = a[o]·w[o], bias' = a·bias + b. */
function intoLayer(layer: Node, { a, b }: Affine, rewrite: Rewrite): Node | undefined {
  const [x, w = "", bias = ""] = layer.inputs;
  const weight = rewrite.constant(w);
  const old = rewrite.constant(bias);
  if (weight?.dtype !== "f32") return undefined;
  const form = layerForm(layer, weight.shape);
  if (form.outputs !== a.length) return undefined;
  if (bias !== "" && old?.data.length !== a.length && old?.data.length !== 1) return undefined;
  const scaled = Float32Array.from(weight.data);
  visitWeights(form, scaled, (output, _, value) => value * a[output]!);
  const shifted = Float32Array.from(a, (factor, c) => {
    const own = old ? old.data[old.data.length === 1 ? 0 : c]! : 0;
    return own * factor + b[c]!;
  });
  return {
    ...layer,
    inputs: [
      x!,
      rewrite.hold(w, { ...weight, data: scaled }),
      rewrite.hold(biasName(layer), tensor("f32", [a.length], shifted)),
    ],
  };
}

/** w'[o, i] = w[o, i]·a[i], bias'[o] = bias[o] + Σ w[o, i]·b[i]: exact only where no padding stands for x = 0. */
function intoNextConv(norm: Node, conv: Node, { a, b }: Affine, rewrite: Rewrite): Node | undefined {
  const [, w = "", bias = ""] = conv.inputs;
  const weight = rewrite.constant(w);
  const old = rewrite.constant(bias);
  const autoPad = stringOf(conv, "auto_pad", "NOTSET");
  const isPadded = numbersOf(conv, "pads", []).some((pad) => pad !== 0) || autoPad.startsWith("SAME");
  if (isPadded || conv.codes || conv.inputs[0] !== norm.outputs[0]) return undefined;
  if (weight?.dtype !== "f32" || (bias !== "" && !old)) return undefined;
  const form = layerForm(conv, weight.shape);
  if ((form.outputs / form.perGroup) * form.inputs !== a.length) return undefined;
  const sums = Float64Array.from({ length: form.outputs }, (_, o) => old?.data[o] ?? 0);
  const scaled = Float32Array.from(weight.data);
  visitWeights(form, scaled, (output, input, value) => {
    sums[output]! += value * b[input]!;
    return value * a[input]!;
  });
  return {
    ...conv,
    inputs: [
      norm.inputs[0]!,
      rewrite.hold(w, { ...weight, data: scaled }),
      rewrite.hold(biasName(conv), tensor("f32", [form.outputs], sums)),
    ],
  };
}

/** Writes every BatchNormalization that is left as arithmetic: as Mul and Add where its statistics are known. */
export function splitBatchNorm(graph: Graph, registry: ToolkitOps, room?: Room): Graph {
  const norms = graph.nodes.filter((node) => node.op === "BatchNormalization");
  if (norms.length === 0) return graph;
  const types = inferTypes(graph, registry);
  const rewrite = new Rewrite(graph, room);
  for (const norm of norms) {
    const affine = affineOf(norm, rewrite);
    if (!affine) {
      rewrite.replace(norm, ...computedBatchNorm(norm, types.get(norm.inputs[0]!)!, rewrite));
      continue;
    }
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
        ...times(norm.inputs[0]!, constant(norm.inputs[1]!, affine.a)),
        name: rewrite.fresh(`${norm.name}_scale`),
        outputs: [scaled],
      },
      {
        ...plus(scaled, constant(norm.inputs[2]!, affine.b)),
        name: norm.name,
        outputs: norm.outputs,
      },
    );
  }
  return rewrite.done();
}
