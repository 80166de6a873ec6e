// A product of codes whose int32 sums are multiplied with scales, as dynamic quantization is written in ONNX:
// MatMulInteger or ConvInteger → Cast → Mul. It becomes the product of the dequantized operands, which becomes an integer layer
// then.

import type { Graph, Node } from "../graph/graph";
import { type Tensor, tensor } from "../graph/tensor";
import type { ToolkitOps } from "../ops/infer";
import { channelAxis, isLayer, perChannel } from "../ops/linear-layer";
import { Rewrite } from "../rewrite/changes";
import type { Room } from "../rewrite/room";

export function joinIntegerProducts(graph: Graph, registry: ToolkitOps, room?: Room): Graph {
  const rewrite = new Rewrite(graph, room);
  for (const node of graph.nodes) {
    if (node.op !== "Mul" || node.codes) continue;
    const [a, b] = node.inputs as [string, string];
    const joined = product(node, a, b, rewrite, registry) ?? product(node, b, a, rewrite, registry);
    if (joined) rewrite.replace(node, ...joined);
  }
  return rewrite.done();
}

/** The nodes that make `mul`'s output of `sums`, an int32 product as floats, and their scales. */
function product(
  mul: Node,
  sums: string,
  scales: string,
  rewrite: Rewrite,
  registry: ToolkitOps,
): readonly Node[] | undefined {
  const cast = rewrite.soleProducer(sums, "Cast");
  const quantize = rewrite.soleProducer(cast?.inputs[0], "QuantizeLinear");
  const layer = rewrite.soleProducer(quantize?.inputs[0]);
  const [x, w] = [0, 1].map((i) => rewrite.soleProducer(layer?.inputs[i], "DequantizeLinear"));
  const isProduct = layer?.inputs.length === 2 && isLayer(layer, registry);
  const isWhole =
    isProduct && [x, w, quantize].every((node) => node && areOnes(rewrite.constant(node.inputs[1])));
  const both = isWhole ? scalesOf(scales, x!, rewrite) : undefined;
  if (!both || !layer || rewrite.constant(quantize!.inputs[2])?.dtype !== "i32") return undefined;
  const weights = scaledWeights(layer, w!, both[1], rewrite, registry);
  if (!weights) return undefined;
  const [codes = "", , ...zeroPoint] = x!.inputs;
  const scaled = (dequantize: Node, inputs: readonly string[]): Node => {
    const output = rewrite.fresh(`${dequantize.outputs[0]}_scaled`);
    return { ...dequantize, name: output, inputs, outputs: [output], attributes: { axis: 0 } };
  };
  const reals = [scaled(x!, [codes, both[0], ...zeroPoint]), scaled(w!, weights)];
  const inputs = reals.map((real) => real.outputs[0]!);
  return [...reals, { ...layer, name: mul.name, inputs, outputs: mul.outputs }];
}

/** Codes of weights, and scales and zero points: one of each, or one an output. */
function scaledWeights(
  layer: Node,
  { inputs: [codes = "", , ...zeroPoint] }: Node,
  scale: string,
  rewrite: Rewrite,
  registry: ToolkitOps,
): readonly string[] | undefined {
  const [q, s, z] = [codes, scale, ...zeroPoint].map((name) => rewrite.constant(name));
  if (s?.data.length === 1 && (z?.data.length ?? 1) === 1) return [codes, scale, ...zeroPoint];
  if (!q || !s || (zeroPoint.length > 0 && !z)) return undefined;
  const [outputs = 0] = q.shape;
  const scales = perChannel(s, outputs, q.shape.length - channelAxis(layer, q.shape.length, registry));
  const zeros = perChannel(z ?? tensor(q.dtype, [], [0]), outputs, 1);
  if (!scales || !zeros) return undefined;
  return [
    codes,
    rewrite.hold(`${scale}_each`, tensor("f32", [outputs], scales)),
    rewrite.hold(`${zeroPoint[0] ?? scale}_zeros`, tensor(q.dtype, [outputs], zeros)),
  ];
}

const areOnes = (scale: Tensor | undefined) => scale?.data.every((s) => s === 1) ?? false;

/** Scales of x and of the weights: constants where they are one already, or those of a DynamicQuantize times some. */
function scalesOf(scales: string, x: Node, rewrite: Rewrite): readonly [string, string] | undefined {
  if (rewrite.constant(scales)) return [x.inputs[1]!, scales];
  const mul = rewrite.producer(scales, "Mul");
  const own = rewrite.producer(x.inputs[0], "DynamicQuantize")?.outputs[1];
  const [a, b] = mul?.inputs ?? [];
  if (a === own && rewrite.constant(b)) return [own!, b!];
  return b === own && rewrite.constant(a) ? [own!, a!] : undefined;
}
