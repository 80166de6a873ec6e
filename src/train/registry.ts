// The ops of a training step: those of the runtime, layers whose weights the step computes, and what only training has.

import { registry } from "../ops/index";
import { convInputGradient, convWeightGradient } from "./ops/conv-gradients";
import { droppingDropout } from "./ops/dropout";
import { trainingOps } from "./ops/index";
import {
  biasGradient,
  productInputGradient,
  productWeightGradient,
  scaleGradient,
} from "./ops/layer-gradients";
import {
  convScaleGradient,
  gemmScaleGradient,
  matMulScaleGradient,
  trainedConv,
  trainedGemm,
  trainedMatMul,
} from "./ops/layers";
import { clippedGradient, codeScaleGradient, stepGradient } from "./ops/learned-scale";
import { crossEntropy, divergence, meanSquare } from "./ops/losses";
import { maskedAdd, maskedAveragePool, maskedGlobalAveragePool } from "./ops/masked";
import { output } from "./ops/output";
import { maskedQuantizeLinear, maskGradient, quantizeBias, quantizeWeights } from "./ops/quantize";
import { accumulateGradient, adamwUpdate, keepWithin, sgdUpdate } from "./ops/update";

export const trainingRegistry = {
  ...registry,
  ...trainingOps,
  AccumulateGradient: accumulateGradient,
  AdamwUpdate: adamwUpdate,
  Add: maskedAdd,
  AveragePool: maskedAveragePool,
  BiasGradient: biasGradient,
  ClippedGradient: clippedGradient,
  CodeScaleGradient: codeScaleGradient,
  Conv: trainedConv,
  ConvInputGradient: convInputGradient,
  ConvScaleGradient: convScaleGradient,
  ConvWeightGradient: convWeightGradient,
  CrossEntropy: crossEntropy,
  Divergence: divergence,
  Dropout: droppingDropout,
  Gemm: trainedGemm,
  GemmScaleGradient: gemmScaleGradient,
  GlobalAveragePool: maskedGlobalAveragePool,
  KeepWithin: keepWithin,
  MaskGradient: maskGradient,
  MatMul: trainedMatMul,
  MatMulScaleGradient: matMulScaleGradient,
  MeanSquare: meanSquare,
  Output: output,
  ProductInputGradient: productInputGradient,
  ProductWeightGradient: productWeightGradient,
  QuantizeBias: quantizeBias,
  QuantizeLinear: maskedQuantizeLinear,
  QuantizeWeights: quantizeWeights,
  ScaleGradient: scaleGradient,
  SgdUpdate: sgdUpdate,
  StepGradient: stepGradient,
};
