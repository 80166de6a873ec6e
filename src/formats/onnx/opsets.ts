// Opsets of ONNX that have its operators.

/** Before it, broadcasting and BatchNormalization meant something else. */
export const MIN_OPSET = 7;

/**
 * Operators that octette reads, by the opset that added them: others are older. LayerNormalization, of opset 17, is in older files that
 * ONNX Runtime optimized, and means the same there.
 */
const ADDED: Readonly<Record<string, string>> = {
  8: "Expand Scan",
  9: "Acosh Asinh Atanh Compress ConstantOfShape Cosh Erf EyeLike IsNaN MaxUnpool MeanVarianceNormalization NonZero OneHot Scatter Shrink Sign Sinh Where",
  10: "ConvInteger DequantizeLinear IsInf MatMulInteger Mod NonMaxSuppression QLinearConv QLinearMatMul QuantizeLinear Resize ReverseSequence RoiAlign ThresholdedRelu",
  11: "BitShift ConcatFromSequence CumSum Det DynamicQuantizeLinear GatherElements GatherND Range Round ScatterElements ScatterND SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SplitToSequence Unique",
  12: "Celu Einsum GreaterOrEqual LessOrEqual NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss",
  14: "HardSwish Trilu",
  15: "CastLike",
  16: "GridSample",
  17: "BlackmanWindow DFT HammingWindow HannWindow MelWeightMatrix STFT SequenceMap",
  18: "BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CenterCropPad Col2Im GroupNormalization Mish",
  19: "DeformConv",
  20: "AffineGrid Gelu",
  23: "Attention RMSNormalization RotaryEmbedding",
  24: "Swish TensorScatter",
  26: "BitCast CumProd",
};

const firsts = /* @__PURE__ */ new Map(
  Object.entries(ADDED).flatMap(([opset, operators]) =>
    operators.split(" ").map((operator) => [operator, Number(opset)] as const),
  ),
);

/** The first opset, from MIN_OPSET on, in which a model may have an operator of ONNX. */
export const firstOpset = (operator: string): number => firsts.get(operator) ?? MIN_OPSET;
