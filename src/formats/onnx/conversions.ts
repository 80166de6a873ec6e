// What each ONNX operator becomes: the same operator of octette, with old forms of its attributes brought to those
// of the latest opset. One line an operator; the few that need more than a line have their own file.

import { dropout, normalization, poolWithIndices, resize, sum, swish, upsample } from "./convert-forms";
import {
  convInteger,
  convolution,
  dynamicQuantizeLinear,
  matMulInteger,
  qLinearConv,
  qLinearMatMul,
} from "./convert-quantized";
import { softmax } from "./convert-softmax";
import { cast, constantOfShape, dequantizeLinear, quantizeLinear } from "./convert-types";
import type { Conversion } from "./source";

/** The same operator, with these attributes; any other attribute is an error. */
const same =
  (...attributes: readonly string[]): Conversion =>
  (source) => [source.node(source.attributes(attributes))];

const window = ["auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "strides"];
const reduction = same("axes", "keepdims", "noop_with_empty_axes");

/** Operators of the domain "" (also written "ai.onnx"), opset 7 and later. */
export const conversions: Readonly<Record<string, Conversion>> = {
  Abs: same(),
  Add: same(),
  ArgMax: same("axis", "keepdims", "select_last_index"),
  AveragePool: same(...window, "count_include_pad"),
  BatchNormalization: normalization,
  Cast: cast,
  Ceil: same(),
  Clip: same("min", "max"),
  Concat: same("axis"),
  ConstantOfShape: constantOfShape,
  Conv: same(...convolution),
  ConvInteger: convInteger,
  DequantizeLinear: dequantizeLinear,
  Div: same(),
  Dropout: dropout,
  DynamicQuantizeLinear: dynamicQuantizeLinear,
  Elu: same("alpha"),
  Equal: same(),
  Erf: same(),
  Exp: same(),
  Expand: same(),
  Flatten: same("axis"),
  Floor: same(),
  Gather: same("axis"),
  Gelu: same("approximate"),
  Gemm: same("alpha", "beta", "transA", "transB"),
  GlobalAveragePool: same(),
  GlobalMaxPool: same(),
  HardSigmoid: same("alpha", "beta"),
  HardSwish: same(),
  Identity: same(),
  LayerNormalization: (source) => [source.node(source.attributes(["axis", "epsilon"], ["stash_type"]))],
  LeakyRelu: same("alpha"),
  LogSoftmax: softmax,
  MatMul: same(),
  MatMulInteger: matMulInteger,
  Max: same(),
  MaxPool: poolWithIndices(window),
  Min: same(),
  Mod: same("fmod"),
  Mul: same(),
  Neg: same(),
  Not: same(),
  Pad: same("mode", "pads", "value"),
  QLinearConv: qLinearConv,
  QLinearMatMul: qLinearMatMul,
  QuantizeLinear: quantizeLinear,
  Range: same(),
  ReduceMean: reduction,
  ReduceProd: reduction,
  Relu: same(),
  Reshape: same("allowzero"),
  Resize: resize,
  Shape: same("start", "end"),
  Sigmoid: same(),
  Size: same(),
  Slice: same("starts", "ends", "axes"),
  Softmax: softmax,
  Split: same("axis", "split", "num_outputs"),
  Sqrt: same(),
  Squeeze: same("axes"),
  Sub: same(),
  Sum: sum,
  Swish: swish,
  Tanh: same(),
  Transpose: same("perm"),
  Upsample: upsample,
  Unsqueeze: same("axes"),
  Where: same(),
};
