// Operators that take many elements together: poolings, means and other reductions, softmax, normalizations.

import { paddingOf } from "./convert-layers";
import { AXES_FIRST } from "./convert-parts";
import type { Conversion, Conversions, OperatorSource } from "./source";
import { IMAGE } from "./values";

const POOL = { padding: 0, strideW: 1, strideH: 2, filterW: 3, filterH: 4, activation: 5 };
const NORM = { radius: 0, bias: 1, alpha: 2, beta: 3 };

const pooling =
  (op: string): Conversion =>
  (source) => {
    const { options } = source;
    const kernel = [options.int(POOL.filterH), options.int(POOL.filterW)];
    const strides = [options.int(POOL.strideH), options.int(POOL.strideW)];
    const y = source.add(op, [source.real(0, "first")], {
      kernel_shape: kernel,
      strides,
      ...paddingOf(source, options.byte(POOL.padding), kernel, strides),
    });
    source.end(source.activated(y, options.byte(POOL.activation)), "first");
  };

const reduction =
  (op: string): Conversion =>
  (source) => {
    const rank = source.rank(0);
    const axes = source.numbers(1, "its axes").map((axis) => (axis < 0 ? axis + rank : axis));
    const keeps = source.options.bool(0);
    const isFirst = rank === IMAGE && source.values.isIn(source.tensor(0), "first");
    // What is left without the axes that are gone has to be in TFLite's order.
    const isInOrder = axes.includes(3) || (axes.includes(1) && axes.includes(2));
    const isImage = isFirst && (keeps || isInOrder);
    const own = isImage ? axes.map((axis) => AXES_FIRST[axis] ?? axis) : axes;
    if (axes.length === 0) return source.end(source.add("Identity", [source.real(0)]));
    const y = source.add(op, [source.real(0, isImage ? "first" : "last")], {
      axes: own,
      keepdims: keeps ? 1 : 0,
    });
    source.end(y, isImage && keeps ? "first" : "last");
  };

/** Truth as numbers, reduced, as truth again. */
const truth =
  (op: string): Conversion =>
  (source) => {
    const rank = source.rank(0);
    const axes = source.numbers(1, "its axes").map((axis) => (axis < 0 ? axis + rank : axis));
    const numbers = source.add("Cast", [source.real(0)], { to: "f32" });
    const y = source.add(op, [numbers], { axes, keepdims: source.options.bool(0) ? 1 : 0 });
    source.end(source.add("Cast", [y], { to: "bool" }));
  };

function softmax(source: OperatorSource): void {
  const beta = source.options.float(0);
  const x = source.real(0);
  const scaled = beta === 1 ? x : source.add("Mul", [x, source.number(beta)]);
  source.end(source.add("Softmax", [scaled], { axis: -1 }));
}

/** Smallest sum of squares that TFLite divides by. */
const LEAST_NORM = 1e-6;

function l2Normalization(source: OperatorSource): void {
  const x = source.real(0);
  const squares = source.add("Mul", [x, x]);
  const sum = source.add("ReduceSum", [squares], { axes: [-1], keepdims: 1 });
  const norm = source.add("Max", [source.add("Sqrt", [sum]), source.number(LEAST_NORM)]);
  source.end(source.activated(source.add("Div", [x, norm]), source.options.byte(0)));
}

/** ONNX divides alpha by the channels of a window. */
function localResponse(source: OperatorSource): void {
  const { options } = source;
  const size = 2 * options.int(NORM.radius) + 1;
  const attributes = {
    size,
    bias: options.float(NORM.bias),
    alpha: options.float(NORM.alpha) * size,
    beta: options.float(NORM.beta),
  };
  source.end(source.add("LRN", [source.real(0, "first")], attributes), "first");
}

const argument =
  (op: string): Conversion =>
  (source) => {
    const [axis = 0] = source.numbers(1, "its axis");
    source.end(source.add(op, [source.real(0)], { axis, keepdims: 0 }));
  };

function cumSum(source: OperatorSource): void {
  const { options } = source;
  const [axis = 0] = source.numbers(1, "its axis");
  const attributes = { axis: [axis], exclusive: options.bool(0) ? 1 : 0, reverse: options.bool(1) ? 1 : 0 };
  source.end(source.add("CumSum", [source.real(0)], attributes));
}

export const pools: Conversions = {
  ARG_MAX: argument("ArgMax"),
  ARG_MIN: argument("ArgMin"),
  AVERAGE_POOL_2D: pooling("AveragePool"),
  CUMSUM: cumSum,
  L2_NORMALIZATION: l2Normalization,
  LOCAL_RESPONSE_NORMALIZATION: localResponse,
  LOG_SOFTMAX: (source) => source.end(source.add("LogSoftmax", [source.real(0)], { axis: -1 })),
  MAX_POOL_2D: pooling("MaxPool"),
  MEAN: reduction("ReduceMean"),
  REDUCE_ALL: truth("ReduceMin"),
  REDUCE_ANY: truth("ReduceMax"),
  REDUCE_MAX: reduction("ReduceMax"),
  REDUCE_MIN: reduction("ReduceMin"),
  REDUCE_PROD: reduction("ReduceProd"),
  SOFTMAX: softmax,
  SUM: reduction("ReduceSum"),
};
