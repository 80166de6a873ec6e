// The ops of a training step: those of the runtime, layers whose weights the step computes, and what only training has.

import { registry } from "../ops/index";
import { trainingOps } from "./ops/index";
import {
  biasGradient,
  convInputGradient,
  convWeightGradient,
  productInputGradient,
  productWeightGradient,
  scaleGradient,
} from "./ops/layer-gradients";
import { trainedConv, trainedGemm, trainedMatMul } from "./ops/layers";
import { crossEntropy, divergence, meanSquare } from "./ops/losses";
import { maskedAdd, maskedAveragePool, maskedGlobalAveragePool } from "./ops/masked";
import { output } from "./ops/output";
import { maskedQuantizeLinear, maskGradient, quantizeBias, quantizeWeights } from "./ops/quantize";
import { accumulateGradient, adamwUpdate, sgdUpdate } from "./ops/update";

export const trainingRegistry = {
  ...registry,
  ...trainingOps,
  AccumulateGradient: accumulateGradient,
  AdamwUpdate: adamwUpdate,
  Add: maskedAdd,
  AveragePool: maskedAveragePool,
  BiasGradient: biasGradient,
  Conv: trainedConv,
  ConvInputGradient: convInputGradient,
  ConvWeightGradient: convWeightGradient,
  CrossEntropy: crossEntropy,
  Divergence: divergence,
  Gemm: trainedGemm,
  GlobalAveragePool: maskedGlobalAveragePool,
  MaskGradient: maskGradient,
  MatMul: trainedMatMul,
  MeanSquare: meanSquare,
  Output: output,
  ProductInputGradient: productInputGradient,
  ProductWeightGradient: productWeightGradient,
  QuantizeBias: quantizeBias,
  QuantizeLinear: maskedQuantizeLinear,
  QuantizeWeights: quantizeWeights,
  ScaleGradient: scaleGradient,
  SgdUpdate: sgdUpdate,
};
