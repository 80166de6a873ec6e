// Float operators with a sum in them: every product and every sum is rounded to f32, in ascending order of the summed
// index (for Conv: kernel position, then channel), and the bias comes last.

import type { Node } from "../../src/graph/graph";
import { sizeOf, type TypedArray, tensor } from "../../src/graph/tensor";
import {
  axisOf,
  fail,
  listAttribute,
  listParameter,
  need,
  numberAttribute,
  type Operator,
  realAttribute,
} from "./node";
import { productOf } from "./product";
import { expand, offsets, stridesOf } from "./view";
import { eachPatch, PADDING, tapMajor, windowsOf } from "./windows";

const { fround } = Math;

function dot(a: TypedArray, aStart: number, b: TypedArray, bStart: number, k: number): number {
  let sum = 0;
  for (let i = 0; i < k; i++) sum = fround(sum + fround(a[aStart + i]! * b[bStart + i]!));
  return sum;
}

const conv: Operator = (node, inputs) => {
  const [x, w, bias] = [need(node, inputs, 0), need(node, inputs, 1), inputs[2]];
  const [images = 0, channels = 0, ...spatial] = x.shape;
  const [outputs = 0, groupChannels = 0, ...kernel] = w.shape;
  const groups = numberAttribute(node, "group", 1);
  if (channels !== groupChannels * groups)
    fail(node, `${channels} channels, weights for ${groupChannels * groups}`);
  const windows = windowsOf(node, spatial, kernel);
  const weights = tapMajor(w);
  const k = groupChannels * windows.taps;
  const perGroup = outputs / groups;
  const y = tensor("f32", [images, outputs, ...windows.shape], []);
  eachPatch(x, windows, groups, 0, (patch, image, group, position) => {
    for (let o = group * perGroup; o < (group + 1) * perGroup; o++) {
      const sum = dot(patch, 0, weights, o * k, k);
      y.data[(image * outputs + o) * windows.positions + position] = bias ? fround(sum + bias.data[o]!) : sum;
    }
  });
  return y;
};

/** y = alpha·A·B + beta·C, and Linear, which has no factors. */
const gemm: Operator = (node, inputs) => {
  const { shape, m, n, k, a, b } = productOf(node, need(node, inputs, 0), need(node, inputs, 1));
  const c = inputs[2] && expand(inputs[2], shape);
  const alpha = realAttribute(node, "alpha", 1);
  const beta = realAttribute(node, "beta", 1);
  const y = tensor("f32", shape, []);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      const sum = fround(alpha * dot(a, i * k, b, j * k, k));
      y.data[i * n + j] = c ? fround(sum + fround(beta * c.data[i * n + j]!)) : sum;
    }
  return y;
};

const matmul: Operator = (node, inputs) => {
  const { shape, batches, m, n, k, a, b } = productOf(node, need(node, inputs, 0), need(node, inputs, 1));
  const y = tensor("f32", shape, []);
  for (let batch = 0; batch < batches; batch++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++)
        y.data[(batch * m + i) * n + j] = dot(a, (batch * m + i) * k, b, (batch * n + j) * k, k);
  return y;
};

/** Global pooling is a window as large as the map. */
export function poolKernel(node: Node, spatial: readonly number[]): readonly number[] {
  if (node.op.startsWith("Global")) return spatial;
  return listAttribute(node, "kernel_shape") ?? fail(node, "kernel_shape is missing");
}

/** Largest element of each window, of floats or codes; padding is not looked at. */
const maxPool: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const [images = 0, channels = 0, ...spatial] = x.shape;
  const { shape, taps, positions, table } = windowsOf(node, spatial, poolKernel(node, spatial));
  const pixels = sizeOf(spatial);
  const y = tensor(x.dtype, [images, channels, ...shape], []);
  for (let plane = 0; plane < images * channels; plane++)
    for (let position = 0; position < positions; position++) {
      let max = -Infinity;
      for (let tap = 0; tap < taps; tap++) {
        const at = table[position * taps + tap]!;
        if (at >= 0) max = Math.max(max, x.data[plane * pixels + at]!);
      }
      y.data[plane * positions + position] = max;
    }
  return y;
};

const averagePool: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const [images = 0, channels = 0, ...spatial] = x.shape;
  const includePad = numberAttribute(node, "count_include_pad", 0) !== 0;
  const { shape, taps, positions, table } = windowsOf(node, spatial, poolKernel(node, spatial));
  const pixels = sizeOf(spatial);
  const y = tensor("f32", [images, channels, ...shape], []);
  for (let plane = 0; plane < images * channels; plane++)
    for (let position = 0; position < positions; position++) {
      let sum = 0;
      let count = 0;
      for (let tap = 0; tap < taps; tap++) {
        const at = table[position * taps + tap]!;
        if (at >= 0) sum = fround(sum + x.data[plane * pixels + at]!);
        if (at >= 0 || (at === PADDING && includePad)) count++;
      }
      y.data[plane * positions + position] = fround(sum / count);
    }
  return y;
};

/** (x − mean) / sqrt(variance + epsilon) · scale + bias, with the statistics given, or in training mode with those of x, which move. */
const batchNormalization: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => need(node, inputs, i).data);
  const [epsilon, momentum] = [realAttribute(node, "epsilon", 1e-5), realAttribute(node, "momentum", 0.9)];
  const isTraining = numberAttribute(node, "training_mode", 0) !== 0;
  const [, channels = 1, ...spatial] = x.shape;
  const pixels = sizeOf(spatial);
  const channelOf = (i: number) => Math.floor(i / pixels) % channels;
  const average = (of: (value: number, c: number) => number) => {
    const sums = new Float64Array(channels);
    for (const [i, value] of x.data.entries()) sums[channelOf(i)]! += of(value, channelOf(i));
    return sums.map((sum) => (sum * channels) / x.data.length);
  };
  const own = average((value) => value);
  const spread = average((value, c) => (value - own[c]!) ** 2);
  const [centers, spreads] = isTraining ? [own, spread] : [mean!, variance!];
  const y = x.data.map((value, i) => {
    const c = channelOf(i);
    return ((value - centers[c]!) / Math.sqrt(spreads[c]! + epsilon)) * scale![c]! + bias![c]!;
  });
  const moved = (given: ArrayLike<number>, found: Float64Array) =>
    tensor(
      "f32",
      [channels],
      found.map((value, c) => given[c]! * momentum + value * (1 - momentum)),
    );
  return [tensor("f32", x.shape, y), moved(mean!, own), moved(variance!, spread)];
};

/** Rows of the axes from `axis` on, each by its own mean and variance: float64 throughout, rounded once. */
const layerNormalization: Operator = (node, inputs) => {
  const [x, scale, bias] = [need(node, inputs, 0), need(node, inputs, 1).data, inputs[2]?.data];
  const axis = axisOf(node, numberAttribute(node, "axis", -1), x.shape.length);
  const epsilon = realAttribute(node, "epsilon", 1e-5);
  const cols = sizeOf(x.shape.slice(axis));
  const moments = x.shape.map((size, d) => (d < axis ? size : 1));
  const [y, means, inverses] = [x.shape, moments, moments].map((shape) => tensor("f32", shape, []));
  for (let r = 0; r < sizeOf(moments); r++) {
    const row = Array.from(x.data.subarray(r * cols, (r + 1) * cols));
    const mean = row.reduce((total, value) => total + value, 0) / cols;
    const variance = row.reduce((total, value) => total + (value - mean) ** 2, 0) / cols;
    const inverse = 1 / Math.sqrt(variance + epsilon);
    means!.data[r] = mean;
    inverses!.data[r] = inverse;
    row.forEach((value, i) => {
      y!.data[r * cols + i] = (value - mean) * inverse * scale[i]! + (bias?.[i] ?? 0);
    });
  }
  return [y!, means!, inverses!];
};

/** Softmax, or its logarithm, along one axis: float64 throughout, rounded once. */
const softmax: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const axis = axisOf(node, numberAttribute(node, "axis", -1), x.shape.length);
  const stride = stridesOf(x.shape)[axis]!;
  const cols = x.shape[axis]!;
  const y = tensor("f32", x.shape, []);
  const rows = x.shape.map((size, d) => (d === axis ? 1 : size));
  for (const start of offsets(rows, stridesOf(x.shape))) {
    const row = Array.from({ length: cols }, (_, i) => x.data[start + i * stride]!);
    const max = Math.max(...row);
    const sum = row.reduce((total, value) => total + Math.exp(value - max), 0);
    row.forEach((value, i) => {
      y.data[start + i * stride] =
        node.op === "LogSoftmax" ? value - max - Math.log(sum) : Math.exp(value - max) / sum;
    });
  }
  return y;
};

interface Fold {
  readonly start: number;
  step(total: number, value: number): number;
  end?(total: number, count: number): number;
}

const sum = (total: number, value: number) => fround(total + value);
const folds: Readonly<Record<string, Fold>> = {
  ReduceMean: { start: 0, step: sum, end: (total, count) => total / count },
  ReduceSum: { start: 0, step: sum },
  ReduceMax: { start: -Infinity, step: Math.max },
  ReduceMin: { start: Infinity, step: Math.min },
  ReduceProd: { start: 1, step: (total, value) => fround(total * value) },
};

/** The axes a Reduce node folds, counted from the front; undefined where it changes nothing. */
export function reducedAxes(
  node: Parameters<Operator>[0],
  inputs: Parameters<Operator>[1],
): number[] | undefined {
  const rank = need(node, inputs, 0).shape.length;
  const axes = listParameter(node, inputs, 1, "axes") ?? [];
  if (axes.length > 0) return axes.map((axis) => axisOf(node, axis, rank));
  return numberAttribute(node, "noop_with_empty_axes", 0)
    ? undefined
    : Array.from({ length: rank }, (_, d) => d);
}

const reduce: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const axes = reducedAxes(node, inputs);
  if (!axes) return x;
  const { start, step, end } = folds[node.op]!;
  const kept = x.shape.map((size, d) => (axes.includes(d) ? 1 : size));
  const folded = offsets(
    x.shape.map((size, d) => (axes.includes(d) ? size : 1)),
    stridesOf(x.shape),
  );
  const totals = Array.from(offsets(kept, stridesOf(x.shape)), (base) => {
    const total = folded.reduce((all, offset) => step(all, x.data[base + offset]!), start);
    return end ? end(total, folded.length) : total;
  });
  const keep = numberAttribute(node, "keepdims", 1) !== 0;
  return tensor(x.dtype, keep ? kept : kept.filter((_, d) => !axes.includes(d)), totals);
};

/** The first index of the largest element along an axis, or the last one. */
const argMax: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const axis = axisOf(node, numberAttribute(node, "axis", 0), x.shape.length);
  const inner = sizeOf(x.shape.slice(axis + 1));
  const n = x.shape[axis]!;
  const kept = numberAttribute(node, "keepdims", 1) ? [1] : [];
  const y = tensor("i32", [...x.shape.slice(0, axis), ...kept, ...x.shape.slice(axis + 1)], []);
  y.data.forEach((_, at) => {
    const column = Array.from(
      { length: n },
      (_, r) => x.data[(Math.floor(at / inner) * n + r) * inner + (at % inner)]!,
    );
    const largest = Math.max(...column.filter((value) => !Number.isNaN(value)));
    const found = numberAttribute(node, "select_last_index", 0)
      ? column.lastIndexOf(largest)
      : column.indexOf(largest);
    y.data[at] = Math.max(0, found);
  });
  return y;
};

export const floatOperators: Readonly<Record<string, Operator>> = {
  ArgMax: argMax,
  Conv: conv,
  Gemm: gemm,
  Linear: gemm,
  LayerNormalization: layerNormalization,
  MatMul: matmul,
  MaxPool: maxPool,
  GlobalMaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Softmax: softmax,
  LogSoftmax: softmax,
  ...Object.fromEntries(Object.keys(folds).map((op) => [op, reduce])),
};
