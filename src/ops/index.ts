// Every op this build knows, one line each. A device takes fewer: createRuntime(ops) accepts any part of this table.

import { abs } from "./abs";
import { add } from "./add";
import { averagePool } from "./average-pool";
import { batchNormalization } from "./batch-normalization";
import { cast } from "./cast";
import { ceil } from "./ceil";
import { clip } from "./clip";
import { concat } from "./concat";
import { constantOfShape } from "./constant-of-shape";
import { conv } from "./conv";
import { dequantizeLinear } from "./dequantize-linear";
import { div } from "./div";
import { dropout } from "./dropout";
import { dynamicQuantize } from "./dynamic-quantize";
import { elu } from "./elu";
import { equal } from "./equal";
import { erf } from "./erf";
import { exp } from "./exp";
import { expand } from "./expand";
import { flatten } from "./flatten";
import { floor } from "./floor";
import { gather } from "./gather";
import { gelu } from "./gelu";
import { gemm } from "./gemm";
import { globalAveragePool } from "./global-average-pool";
import { globalMaxPool } from "./global-max-pool";
import { hardSigmoid } from "./hard-sigmoid";
import { hardSwish } from "./hard-swish";
import { identity } from "./identity";
import { leakyRelu } from "./leaky-relu";
import { matMul } from "./mat-mul";
import { max } from "./max";
import { maxPool } from "./max-pool";
import { min } from "./min";
import { mod } from "./mod";
import { mul } from "./mul";
import { neg } from "./neg";
import { not } from "./not";
import type { Op } from "./op";
import { pad } from "./pad";
import { quantizeLinear } from "./quantize-linear";
import { range } from "./range";
import { reduceMean } from "./reduce-mean";
import { reduceProd } from "./reduce-prod";
import { relu } from "./relu";
import { reshape } from "./reshape";
import { shape } from "./shape";
import { sigmoid } from "./sigmoid";
import { silu } from "./silu";
import { size } from "./size";
import { slice } from "./slice";
import { logSoftmax, softmax } from "./softmax";
import { split } from "./split";
import { sqrt } from "./sqrt";
import { squeeze } from "./squeeze";
import { sub } from "./sub";
import { tanh } from "./tanh";
import { transpose } from "./transpose";
import { unsqueeze } from "./unsqueeze";
import { where } from "./where";

export const registry = {
  Abs: abs,
  Add: add,
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Cast: cast,
  Ceil: ceil,
  Clip: clip,
  Concat: concat,
  ConstantOfShape: constantOfShape,
  Conv: conv,
  DequantizeLinear: dequantizeLinear,
  Div: div,
  Dropout: dropout,
  DynamicQuantize: dynamicQuantize,
  Elu: elu,
  Equal: equal,
  Erf: erf,
  Exp: exp,
  Expand: expand,
  Flatten: flatten,
  Floor: floor,
  Gather: gather,
  Gelu: gelu,
  Gemm: gemm,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  Identity: identity,
  LeakyRelu: leakyRelu,
  LogSoftmax: logSoftmax,
  MatMul: matMul,
  Max: max,
  MaxPool: maxPool,
  Min: min,
  Mod: mod,
  Mul: mul,
  Neg: neg,
  Not: not,
  Pad: pad,
  QuantizeLinear: quantizeLinear,
  Range: range,
  ReduceMean: reduceMean,
  ReduceProd: reduceProd,
  Relu: relu,
  Reshape: reshape,
  Shape: shape,
  Sigmoid: sigmoid,
  Silu: silu,
  Size: size,
  Slice: slice,
  Softmax: softmax,
  Split: split,
  Sqrt: sqrt,
  Squeeze: squeeze,
  Sub: sub,
  Tanh: tanh,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Where: where,
} satisfies Record<string, Op>;

/** Names of all ops: what a table of rules over ops has as its keys. */
export type OpName = keyof typeof registry;
