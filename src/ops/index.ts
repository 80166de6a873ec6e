// Every op this build knows, by its ONNX name: together, and each for itself, for a runtime of few (createRuntime).

import { abs as Abs } from "./abs";
import { add as Add } from "./add";
import { argMax as ArgMax } from "./arg-max";
import { averagePool as AveragePool } from "./average-pool";
import { batchNormalization as BatchNormalization } from "./batch-normalization";
import { cast as Cast } from "./cast";
import { ceil as Ceil } from "./ceil";
import { clip as Clip } from "./clip";
import { concat as Concat } from "./concat";
import { constantOfShape as ConstantOfShape } from "./constant-of-shape";
import { conv as Conv } from "./conv";
import { dequantizeLinear as DequantizeLinear } from "./dequantize-linear";
import { div as Div } from "./div";
import { dropout as Dropout } from "./dropout";
import { dynamicQuantize as DynamicQuantize } from "./dynamic-quantize";
import { elu as Elu } from "./elu";
import { equal as Equal } from "./equal";
import { erf as Erf } from "./erf";
import { exp as Exp } from "./exp";
import { expand as Expand } from "./expand";
import { flatten as Flatten } from "./flatten";
import { floor as Floor } from "./floor";
import { gather as Gather } from "./gather";
import { gelu as Gelu } from "./gelu";
import { gemm as Gemm } from "./gemm";
import { globalAveragePool as GlobalAveragePool } from "./global-average-pool";
import { globalMaxPool as GlobalMaxPool } from "./global-max-pool";
import { hardSigmoid as HardSigmoid } from "./hard-sigmoid";
import { hardSwish as HardSwish } from "./hard-swish";
import { identity as Identity } from "./identity";
import { layerNormalization as LayerNormalization } from "./layer-normalization";
import { leakyRelu as LeakyRelu } from "./leaky-relu";
import { matMul as MatMul } from "./mat-mul";
import { max as Max } from "./max";
import { maxPool as MaxPool } from "./max-pool";
import { min as Min } from "./min";
import { mod as Mod } from "./mod";
import { mul as Mul } from "./mul";
import { neg as Neg } from "./neg";
import { not as Not } from "./not";
import type { Op } from "./op";
import { pad as Pad } from "./pad";
import { quantizeLinear as QuantizeLinear } from "./quantize-linear";
import { range as Range } from "./range";
import { reduceMean as ReduceMean } from "./reduce-mean";
import { reduceProd as ReduceProd } from "./reduce-prod";
import { relu as Relu } from "./relu";
import { reshape as Reshape } from "./reshape";
import { resize as Resize } from "./resize";
import { shape as Shape } from "./shape";
import { sigmoid as Sigmoid } from "./sigmoid";
import { silu as Silu } from "./silu";
import { size as Size } from "./size";
import { slice as Slice } from "./slice";
import { logSoftmax as LogSoftmax, softmax as Softmax } from "./softmax";
import { split as Split } from "./split";
import { sqrt as Sqrt } from "./sqrt";
import { squeeze as Squeeze } from "./squeeze";
import { sub as Sub } from "./sub";
import { tanh as Tanh } from "./tanh";
import { transpose as Transpose } from "./transpose";
import { unsqueeze as Unsqueeze } from "./unsqueeze";
import { where as Where } from "./where";

export const registry = {
  Abs,
  Add,
  ArgMax,
  AveragePool,
  BatchNormalization,
  Cast,
  Ceil,
  Clip,
  Concat,
  ConstantOfShape,
  Conv,
  DequantizeLinear,
  Div,
  Dropout,
  DynamicQuantize,
  Elu,
  Equal,
  Erf,
  Exp,
  Expand,
  Flatten,
  Floor,
  Gather,
  Gelu,
  Gemm,
  GlobalAveragePool,
  GlobalMaxPool,
  HardSigmoid,
  HardSwish,
  Identity,
  LayerNormalization,
  LeakyRelu,
  LogSoftmax,
  MatMul,
  Max,
  MaxPool,
  Min,
  Mod,
  Mul,
  Neg,
  Not,
  Pad,
  QuantizeLinear,
  Range,
  ReduceMean,
  ReduceProd,
  Relu,
  Reshape,
  Resize,
  Shape,
  Sigmoid,
  Silu,
  Size,
  Slice,
  Softmax,
  Split,
  Sqrt,
  Squeeze,
  Sub,
  Tanh,
  Transpose,
  Unsqueeze,
  Where,
} satisfies Record<string, Op>;

/** Names of all ops: what a table of rules over ops has as its keys. */
export type OpName = keyof typeof registry;

export {
  Abs,
  Add,
  ArgMax,
  AveragePool,
  BatchNormalization,
  Cast,
  Ceil,
  Clip,
  Concat,
  ConstantOfShape,
  Conv,
  DequantizeLinear,
  Div,
  Dropout,
  DynamicQuantize,
  Elu,
  Equal,
  Erf,
  Exp,
  Expand,
  Flatten,
  Floor,
  Gather,
  Gelu,
  Gemm,
  GlobalAveragePool,
  GlobalMaxPool,
  HardSigmoid,
  HardSwish,
  Identity,
  LayerNormalization,
  LeakyRelu,
  LogSoftmax,
  MatMul,
  Max,
  MaxPool,
  Min,
  Mod,
  Mul,
  Neg,
  Not,
  Pad,
  QuantizeLinear,
  Range,
  ReduceMean,
  ReduceProd,
  Relu,
  Reshape,
  Resize,
  Shape,
  Sigmoid,
  Silu,
  Size,
  Slice,
  Softmax,
  Split,
  Sqrt,
  Squeeze,
  Sub,
  Tanh,
  Transpose,
  Unsqueeze,
  Where,
};
