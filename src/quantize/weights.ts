// The constants of a layer in its quantized form: weight codes and scales, the corrected bias as int32 codes or as
// floats. A recurrence has weights of several inputs, and a bias that stays as it is.

import type { Graph } from "../graph/graph";
import { sizeOf, type Tensor, tensor } from "../graph/tensor";
import { sumScales } from "../ops/codes";
import { type LinearLayer, perChannel } from "../ops/linear-layer";
import { dequantizeWeights, quantizeBias, quantizeWeights, weightScales } from "../ops/scheme";
import { correctBias } from "./bias-correction";

export interface QuantizedWeights {
  readonly codes: Tensor;
  /** One a channel, or a scalar. */
  readonly scale: Tensor;
  /** What the codes were made of: the masters of fine-tuning. */
  readonly weights: Tensor;
}

export interface QuantizedLayer extends QuantizedWeights {
  /** The bias as floats, one an output. */
  readonly bias: Tensor | undefined;
  /** The bias as codes of scale sx·sw; present when the input's scale is known. */
  readonly biasCodes?: Tensor;
}

export interface LayerOptions {
  /** One scale for the whole weight. */
  readonly perTensor: boolean;
  /** Largest weight code: 127 for 8 bits, 7 for 4. */
  readonly limit: number;
  /** Scale of the input's codes where the accumulator is requantized, so that the bias must be int32. */
  readonly inputScale?: number | undefined;
  /** Means of the input channels; the bias is corrected where they are given. */
  readonly means?: Float64Array | undefined;
}

/** Weights and bias of a layer, the bias one number an output. */
export function layerConstants(
  graph: Graph,
  layer: LinearLayer,
): { weights: Float32Array; bias: Float32Array | undefined } {
  const weights = Float32Array.from(graph.constants.get(layer.weight)!.data);
  const bias = layer.bias === undefined ? undefined : graph.constants.get(layer.bias)!;
  return { weights, bias: bias && Float32Array.from(perChannel(bias, layer.outputs, 1)!) };
}

/** Weights [..., k] with a scale for each row, or one for all. */
export function quantizeWeightRows(
  weights: Tensor,
  { perTensor, limit }: Pick<LayerOptions, "perTensor" | "limit">,
): QuantizedWeights {
  const rows = sizeOf(weights.shape.slice(0, -1));
  const data = weights.data as Float32Array;
  const scales = weightScales(data, rows, { perTensor, limit });
  const codes = quantizeWeights(data, scales, limit);
  return {
    codes: tensor("i8", weights.shape, codes),
    scale: perTensor ? tensor("f32", [], scales.slice(0, 1)) : tensor("f32", [rows], scales),
    weights,
  };
}

export function quantizeLayer(graph: Graph, layer: LinearLayer, options: LayerOptions): QuantizedLayer {
  const { perTensor, limit, inputScale, means } = options;
  const { shape } = graph.constants.get(layer.weight)!;
  const constants = layerConstants(graph, layer);
  const scales = weightScales(constants.weights, layer.outputs, {
    perTensor,
    limit,
    ...(inputScale === undefined ? {} : { inputScale }),
    ...(constants.bias ? { bias: constants.bias } : {}),
  });
  const codes = quantizeWeights(constants.weights, scales, limit);
  const rounded = () => dequantizeWeights(codes, scales);
  const bias = means
    ? correctBias(layer, constants.weights, rounded(), constants.bias, means)
    : constants.bias;
  const biasScale = inputScale === undefined ? undefined : sumScales(inputScale, scales);
  return {
    codes: { dtype: "i8", shape, data: codes },
    scale: perTensor
      ? { dtype: "f32", shape: [], data: scales.slice(0, 1) }
      : { dtype: "f32", shape: [scales.length], data: scales },
    weights: { dtype: "f32", shape, data: constants.weights },
    bias: bias && { dtype: "f32", shape: [bias.length], data: bias },
    ...(bias && biasScale
      ? { biasCodes: { dtype: "i32", shape: [bias.length], data: quantizeBias(bias, biasScale) } }
      : {}),
  };
}
