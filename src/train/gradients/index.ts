// The gradient rule of every op, or its name among those that have none: an op that stands in neither does not compile.

import type { OpName } from "../../ops/index";
import { add, div, mul, sub } from "./binary";
import { dropout } from "./dropout";
import { gather } from "./gather";
import { layerNormalization } from "./layer-normalization";
import {
  conv,
  matMul as denseMatMul,
  dequantizeLinear,
  dynamicQuantize,
  gemm,
  quantizeLinear,
} from "./layers";
import { matMul } from "./mat-mul";
import { concat, expand, identity, reshape, resize, slice, split, transpose } from "./moves";
import { pad } from "./pad";
import { averagePool, maxPool } from "./pool";
import { reduceMean } from "./reduce";
import type { Rule } from "./rule";
import { logSoftmax, softmax } from "./softmax";
import {
  abs,
  clip,
  elu,
  erf,
  exp,
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  neg,
  relu,
  sigmoid,
  silu,
  sqrt,
  tanh,
} from "./unary";

/** Ops that no gradient passes: they make integers or steps, or they exist only to be folded before a model is trained. */
export const nonDifferentiable = [
  "ArgMax",
  "BatchNormalization",
  "Cast",
  "Ceil",
  "ConstantOfShape",
  "Equal",
  "Floor",
  "Max",
  "Min",
  "Mod",
  "Not",
  "Range",
  "ReduceProd",
  "Shape",
  "Size",
  "Where",
] as const satisfies readonly OpName[];

export type DifferentiableOp = Exclude<OpName, (typeof nonDifferentiable)[number]>;

export const gradients: { readonly [K in DifferentiableOp]: Rule } = {
  Abs: abs,
  Add: add,
  AveragePool: averagePool,
  Clip: clip,
  Concat: concat,
  Conv: conv,
  DequantizeLinear: dequantizeLinear,
  Div: div,
  Dropout: dropout,
  DynamicQuantize: dynamicQuantize,
  Elu: elu,
  Erf: erf,
  Exp: exp,
  Expand: expand,
  Flatten: reshape,
  Gather: gather,
  Gelu: gelu,
  Gemm: gemm,
  GlobalAveragePool: averagePool,
  GlobalMaxPool: maxPool,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  Identity: identity,
  LayerNormalization: layerNormalization,
  LeakyRelu: leakyRelu,
  LogSoftmax: logSoftmax,
  MatMul: (unit, dy, b) => {
    const isDense = unit.integer !== undefined || b.constant(unit.inputs[1]!)?.shape.length === 2;
    (isDense ? denseMatMul : matMul)(unit, dy, b);
  },
  MaxPool: maxPool,
  Mul: mul,
  Neg: neg,
  Pad: pad,
  QuantizeLinear: quantizeLinear,
  ReduceMean: reduceMean,
  Relu: relu,
  Reshape: reshape,
  Resize: resize,
  Sigmoid: sigmoid,
  Silu: silu,
  Slice: slice,
  Softmax: softmax,
  Split: split,
  Sqrt: sqrt,
  Squeeze: reshape,
  Sub: sub,
  Tanh: tanh,
  Transpose: transpose,
  Unsqueeze: reshape,
};
