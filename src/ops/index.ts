// Every op this build knows, one line each. A device takes fewer: createRuntime(ops) accepts any part of this table.

import { abs } from "./abs";
import { add } from "./add";
import { averagePool } from "./average-pool";
import { batchNormalization } from "./batch-normalization";
import { clip } from "./clip";
import { conv } from "./conv";
import { dequantizeLinear } from "./dequantize-linear";
import { div } from "./div";
import { dropout } from "./dropout";
import { dynamicQuantize } from "./dynamic-quantize";
import { elu } from "./elu";
import { erf } from "./erf";
import { exp } from "./exp";
import { flatten } from "./flatten";
import { gelu } from "./gelu";
import { gemm } from "./gemm";
import { globalAveragePool } from "./global-average-pool";
import { globalMaxPool } from "./global-max-pool";
import { hardSigmoid } from "./hard-sigmoid";
import { hardSwish } from "./hard-swish";
import { identity } from "./identity";
import { leakyRelu } from "./leaky-relu";
import { matMul } from "./mat-mul";
import { maxPool } from "./max-pool";
import { mul } from "./mul";
import { neg } from "./neg";
import type { Op } from "./op";
import { quantizeLinear } from "./quantize-linear";
import { reduceMean } from "./reduce-mean";
import { relu } from "./relu";
import { reshape } from "./reshape";
import { sigmoid } from "./sigmoid";
import { silu } from "./silu";
import { logSoftmax, softmax } from "./softmax";
import { sqrt } from "./sqrt";
import { squeeze } from "./squeeze";
import { sub } from "./sub";
import { tanh } from "./tanh";
import { unsqueeze } from "./unsqueeze";

export const registry = {
  Abs: abs,
  Add: add,
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Clip: clip,
  Conv: conv,
  DequantizeLinear: dequantizeLinear,
  Div: div,
  Dropout: dropout,
  DynamicQuantize: dynamicQuantize,
  Elu: elu,
  Erf: erf,
  Exp: exp,
  Flatten: flatten,
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
  MaxPool: maxPool,
  Mul: mul,
  Neg: neg,
  QuantizeLinear: quantizeLinear,
  ReduceMean: reduceMean,
  Relu: relu,
  Reshape: reshape,
  Sigmoid: sigmoid,
  Silu: silu,
  Softmax: softmax,
  Sqrt: sqrt,
  Squeeze: squeeze,
  Sub: sub,
  Tanh: tanh,
  Unsqueeze: unsqueeze,
} satisfies Record<string, Op>;

/** Names of all ops: what a table of rules over ops has as its keys. */
export type OpName = keyof typeof registry;
