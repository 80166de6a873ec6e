// What the toolkit asks of every op, beside what running it needs: collected from the ops' own files.

import { absTraits as Abs } from "./abs";
import { addTraits as Add } from "./add";
import { argMaxTraits as ArgMax } from "./arg-max";
import { averagePoolTraits as AveragePool } from "./average-pool";
import { batchNormalizationTraits as BatchNormalization } from "./batch-normalization";
import { castTraits as Cast } from "./cast";
import { ceilTraits as Ceil } from "./ceil";
import { clipTraits as Clip } from "./clip";
import { concatTraits as Concat } from "./concat";
import { constantOfShapeTraits as ConstantOfShape } from "./constant-of-shape";
import { convTraits as Conv } from "./conv";
import { dequantizeLinearTraits as DequantizeLinear } from "./dequantize-linear";
import { divTraits as Div } from "./div";
import { dropoutTraits as Dropout } from "./dropout";
import { dynamicQuantizeTraits as DynamicQuantize } from "./dynamic-quantize";
import { eluTraits as Elu } from "./elu";
import { equalTraits as Equal } from "./equal";
import { erfTraits as Erf } from "./erf";
import { expTraits as Exp } from "./exp";
import { expandTraits as Expand } from "./expand";
import { flattenTraits as Flatten } from "./flatten";
import { floorTraits as Floor } from "./floor";
import { gatherTraits as Gather } from "./gather";
import { geluTraits as Gelu } from "./gelu";
import { gemmTraits as Gemm } from "./gemm";
import { globalAveragePoolTraits as GlobalAveragePool } from "./global-average-pool";
import { globalMaxPoolTraits as GlobalMaxPool } from "./global-max-pool";
import { hardSigmoidTraits as HardSigmoid } from "./hard-sigmoid";
import { hardSwishTraits as HardSwish } from "./hard-swish";
import { identityTraits as Identity } from "./identity";
import { type OpName, registry } from "./index";
import type { ToolkitOps } from "./infer";
import { layerNormalizationTraits as LayerNormalization } from "./layer-normalization";
import { leakyReluTraits as LeakyRelu } from "./leaky-relu";
import { matMulTraits as MatMul } from "./mat-mul";
import { maxTraits as Max } from "./max";
import { maxPoolTraits as MaxPool } from "./max-pool";
import { minTraits as Min } from "./min";
import { modTraits as Mod } from "./mod";
import { mulTraits as Mul } from "./mul";
import { negTraits as Neg } from "./neg";
import { notTraits as Not } from "./not";
import type { Traits } from "./op";
import { padTraits as Pad } from "./pad";
import { quantizeLinearTraits as QuantizeLinear } from "./quantize-linear";
import { rangeTraits as Range } from "./range";
import { reduceMeanTraits as ReduceMean } from "./reduce-mean";
import { reduceProdTraits as ReduceProd } from "./reduce-prod";
import { reluTraits as Relu } from "./relu";
import { reshapeTraits as Reshape } from "./reshape";
import { resizeTraits as Resize } from "./resize";
import { shapeTraits as Shape } from "./shape";
import { sigmoidTraits as Sigmoid } from "./sigmoid";
import { siluTraits as Silu } from "./silu";
import { sizeTraits as Size } from "./size";
import { sliceTraits as Slice } from "./slice";
import { logSoftmaxTraits as LogSoftmax, softmaxTraits as Softmax } from "./softmax";
import { splitTraits as Split } from "./split";
import { sqrtTraits as Sqrt } from "./sqrt";
import { squeezeTraits as Squeeze } from "./squeeze";
import { subTraits as Sub } from "./sub";
import { tanhTraits as Tanh } from "./tanh";
import { transposeTraits as Transpose } from "./transpose";
import { unsqueezeTraits as Unsqueeze } from "./unsqueeze";
import { whereTraits as Where } from "./where";

const traits: { readonly [K in OpName]: Traits } = {
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

/** Ops with what is known of them: what passes, quantization and training take. */
export const toolkitOps: ToolkitOps = Object.fromEntries(
  Object.entries(registry).map(([name, op]) => [name, { ...op, ...traits[name as OpName] }]),
);
