// What an op computes, in float64: what central differences of it are taken of. Ops that only move elements are the
// reference's own, run over positions instead of values.

import { expect } from "vitest";
import { sizeOf, type Tensor, tensor } from "../../../src/graph/tensor";
import { binary, unary } from "../../reference/elementwise";
import { poolKernel, reducedAxes } from "../../reference/float";
import { operators } from "../../reference/index";
import { numberAttribute } from "../../reference/node";
import type { Forward, Oracle, Real } from "../../reference/oracle";
import { productOf } from "../../reference/product";
import { broadcastShapes, broadcastStrides, offsets, stridesOf } from "../../reference/view";
import { PADDING, windowsOf } from "../../reference/windows";

export type { Real } from "../../reference/oracle";

const real = (shape: readonly number[], data: ArrayLike<number>): Real => ({
  shape,
  data: Float64Array.from(data),
});

const elementwise: Forward = (node, [x]) => [real(x!.shape, x!.data.map(unary[node.op]!(node, [])))];

const pairwise: Forward = (node, [a, b]) => {
  const shape = broadcastShapes(a!.shape, b!.shape);
  const [left, right] = [a!, b!].map((x) => offsets(shape, broadcastStrides(x.shape, shape)));
  const of = binary[node.op]!;
  return [
    real(
      shape,
      Array.from(left!, (at, i) => of(a!.data[at]!, b!.data[right![i]!]!)),
    ),
  ];
};

/** Positions counted from 1 through all inputs; what is 0 comes from none of them. */
const moving: Forward = (node, inputs) => {
  let next = 1;
  const positions = inputs.map((x) =>
    tensor(
      "i32",
      x!.shape,
      Array.from(x!.data, () => next++),
    ),
  );
  const all = inputs.flatMap((x) => [...x!.data]);
  const moved = operators[node.op]!(node, positions, {});
  return ("dtype" in moved ? [moved] : (moved as readonly Tensor[])).map(({ shape, data }) =>
    real(
      shape,
      Array.from(data, (at) => (at === 0 ? 0 : all[at - 1]!)),
    ),
  );
};

const pooling: Forward = (node, [x]) => {
  const [images = 0, channels = 0, ...spatial] = x!.shape;
  const { shape, taps, positions, table } = windowsOf(node, spatial, poolKernel(node, spatial));
  const pixels = sizeOf(spatial);
  const isMax = node.op.endsWith("MaxPool");
  const padded = numberAttribute(node, "count_include_pad", 0) !== 0;
  const y = Array.from({ length: images * channels * positions }, (_, i) => {
    const [plane, position] = [Math.floor(i / positions), i % positions];
    const seen = Array.from(table.subarray(position * taps, (position + 1) * taps));
    const values = seen.filter((at) => at >= 0).map((at) => x!.data[plane * pixels + at]!);
    if (isMax) return Math.max(...values);
    const count = padded ? seen.filter((at) => at >= PADDING).length : values.length;
    return values.reduce((sum, value) => sum + value, 0) / count;
  });
  return [real([images, channels, ...shape], y)];
};

/** Without groups and bias. */
const conv: Forward = (node, [x, w, b]) => {
  const [images = 0, inputs = 0, ...spatial] = x!.shape;
  const [outputs = 0, channels = 0, ...kernel] = w!.shape;
  const perGroup = (outputs * channels) / inputs;
  const { shape, taps, positions, table } = windowsOf(node, spatial, kernel);
  const pixels = sizeOf(spatial);
  const y = Array.from({ length: images * outputs * positions }, (_, i) => {
    const [plane, position] = [Math.floor(i / positions), i % positions];
    const [image, o] = [Math.floor(plane / outputs), plane % outputs];
    const first = image * inputs + Math.floor(o / perGroup) * channels;
    let sum = b?.data[o] ?? 0;
    for (let c = 0; c < channels; c++)
      for (let tap = 0; tap < taps; tap++) {
        const at = table[position * taps + tap]!;
        if (at >= 0) sum += x!.data[(first + c) * pixels + at]! * w!.data[(o * channels + c) * taps + tap]!;
      }
    return sum;
  });
  return [real([images, outputs, ...shape], y)];
};

const softmax: Forward = (node, [x]) => {
  const cols = x!.shape.at(-1)!;
  const y = x!.data.map((value, i) => {
    const row = x!.data.subarray(i - (i % cols), i - (i % cols) + cols);
    const max = Math.max(...row);
    const sum = row.reduce((total, v) => total + Math.exp(v - max), 0);
    return node.op === "Softmax" ? Math.exp(value - max) / sum : value - max - Math.log(sum);
  });
  return [real(x!.shape, y)];
};

const layerNormalization: Forward = (node, [x, scale, bias]) => {
  const axis = numberAttribute(node, "axis", -1);
  const cols = sizeOf(x!.shape.slice(axis));
  const epsilon = Math.fround(numberAttribute(node, "epsilon", 1e-5));
  const y = x!.data.map((value, i) => {
    const row = x!.data.subarray(i - (i % cols), i - (i % cols) + cols);
    const center = row.reduce((sum, v) => sum + v, 0) / cols;
    const variance = row.reduce((sum, v) => sum + (v - center) ** 2, 0) / cols;
    const normal = (value - center) / Math.sqrt(variance + epsilon);
    return normal * scale!.data[i % cols]! + (bias?.data[i % cols] ?? 0);
  });
  return [real(x!.shape, y)];
};

const rmsNormalization: Forward = (node, [x, scale]) => {
  const cols = sizeOf(x!.shape.slice(numberAttribute(node, "axis", -1)));
  const epsilon = Math.fround(numberAttribute(node, "epsilon", 1e-5));
  const y = x!.data.map((value, i) => {
    const row = x!.data.subarray(i - (i % cols), i - (i % cols) + cols);
    const square = row.reduce((sum, v) => sum + v * v, 0) / cols;
    return (value / Math.sqrt(square + epsilon)) * scale!.data[i % cols]!;
  });
  return [real(x!.shape, y)];
};

/** The reference's own view of both operands, over positions. */
const matMul: Forward = (node, [a, b]) => {
  const [left, right] = [a!, b!].map(({ shape, data }) =>
    tensor(
      "i32",
      shape,
      data.map((_, i) => i),
    ),
  );
  const { shape, batches, m, n, k, a: rows, b: cols } = productOf(node, left!, right!);
  const y = Array.from({ length: batches * m * n }, (_, i) => {
    const [row, col] = [Math.floor(i / n), Math.floor(i / (m * n)) * n + (i % n)];
    let sum = 0;
    for (let at = 0; at < k; at++) sum += a!.data[rows[row * k + at]!]! * b!.data[cols[col * k + at]!]!;
    return sum;
  });
  return [real(shape, y)];
};

/** x [..., k] · wᵀ of w [n, k], + b [n]. */
const linear: Forward = (node, [x, w, b]) => {
  const [product] = matMul(node, [x!, w!]);
  return [
    real(
      product!.shape,
      product!.data.map((sum, i) => sum + (b?.data[i % w!.shape[0]!] ?? 0)),
    ),
  ];
};

/** Indices are whole numbers; those outside are taken to the nearest slice, as the kernels do. */
const gather: Forward = (node, [x, indices]) => {
  const axis = numberAttribute(node, "axis", 0);
  const extent = x!.shape[axis]!;
  const inside = indices!.data.map((at) => Math.max(0, Math.min(at < 0 ? at + extent : at, extent - 1)));
  const picked = tensor("i32", indices!.shape, inside);
  const positions = tensor(
    "i32",
    x!.shape,
    x!.data.map((_, i) => i),
  );
  const { shape, data } = operators.Gather!(node, [positions, picked], {}) as Tensor;
  return [
    real(
      shape,
      Array.from(data, (at) => x!.data[at]!),
    ),
  ];
};

const mean: Forward = (node, [x]) => {
  const axes = reducedAxes(node, [tensor("f32", x!.shape, [])]);
  if (!axes) return [x!];
  const strides = stridesOf(x!.shape);
  const part = (isPart: (axis: number) => boolean) => x!.shape.map((size, axis) => (isPart(axis) ? size : 1));
  const folded = offsets(
    part((axis) => axes.includes(axis)),
    strides,
  );
  const kept = part((axis) => !axes.includes(axis));
  const y = Array.from(
    offsets(kept, strides),
    (at) => folded.reduce((sum, offset) => sum + x!.data[at + offset]!, 0) / folded.length,
  );
  const keep = numberAttribute(node, "keepdims", 1) !== 0;
  return [real(keep ? kept : kept.filter((_, axis) => !axes.includes(axis)), y)];
};

const each = (names: readonly string[], forward: Forward) =>
  Object.fromEntries(names.map((name) => [name, forward]));

/** What an op computes: what its test says of it, or what is here. */
export function forwardOf(op: string, { forward, each }: Oracle = {}): Forward {
  if (forward) return forward;
  if (each) return (node, [x]) => [real(x!.shape, x!.data.map(each(node, [])))];
  return forwards[op] ?? expect.fail(`${op}: test/train/reference/forward.ts has no such op`);
}

export const forwards: Readonly<Record<string, Forward>> = {
  ...each(
    [
      "Concat",
      "Dropout",
      "Expand",
      "Flatten",
      "Pad",
      "Reshape",
      "Resize",
      "Slice",
      "Split",
      "Squeeze",
      "Transpose",
      "Unsqueeze",
    ],
    moving,
  ),
  ...each(Object.keys(unary), elementwise),
  ...each(Object.keys(binary), pairwise),
  ...each(["AveragePool", "GlobalAveragePool", "GlobalMaxPool", "MaxPool"], pooling),
  ...each(["LogSoftmax", "Softmax"], softmax),
  Conv: conv,
  Gather: gather,
  LayerNormalization: layerNormalization,
  Linear: linear,
  MatMul: matMul,
  ReduceMean: mean,
  RMSNormalization: rmsNormalization,
};
