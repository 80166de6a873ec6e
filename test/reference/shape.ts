// Operators that only move elements, of any dtype: over codes they are the same functions.

import type { Node } from "../../src/graph/graph";
import { evaluateDim } from "../../src/graph/symbols";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import {
  axisOf,
  dimsAttribute,
  fail,
  type Inputs,
  listAttribute,
  listParameter,
  need,
  numberAttribute,
  type Operator,
  realAttribute,
  stringAttribute,
} from "./node";
import { resize } from "./resize";
import { broadcastShapes, expand, offsets, pick, stridesOf } from "./view";

const reshaped = (x: Tensor, shape: readonly number[]): Tensor => ({ ...x, shape });

const reshape: Operator = (node, inputs, bindings) => {
  const x = need(node, inputs, 0);
  const wanted =
    dimsAttribute(node, "shape")?.map((dim) => evaluateDim(dim, bindings)) ??
    Array.from(need(node, inputs, 1).data);
  const allowZero = numberAttribute(node, "allowzero", 0) !== 0;
  const shape = wanted.map((dim, d) => (dim === 0 && !allowZero ? x.shape[d]! : dim));
  const open = shape.indexOf(-1);
  if (open >= 0) shape[open] = sizeOf(x.shape) / sizeOf(shape.filter((_, d) => d !== open));
  if (sizeOf(shape) !== sizeOf(x.shape)) fail(node, `[${x.shape}] does not reshape to [${shape}]`);
  return reshaped(x, shape);
};

const flatten: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const axis = numberAttribute(node, "axis", 1);
  const split = axis < 0 ? axis + x.shape.length : axis;
  return reshaped(x, [sizeOf(x.shape.slice(0, split)), sizeOf(x.shape.slice(split))]);
};

const squeeze: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const axes = listParameter(node, inputs, 1, "axes")?.map((axis) => axisOf(node, axis, x.shape.length));
  return reshaped(
    x,
    x.shape.filter((size, d) => (axes ? !axes.includes(d) : size !== 1)),
  );
};

const unsqueeze: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const axes = listParameter(node, inputs, 1, "axes") ?? fail(node, "axes are missing");
  const rank = x.shape.length + axes.length;
  const added = new Set(axes.map((axis) => axisOf(node, axis, rank)));
  const sizes = [...x.shape];
  return reshaped(
    x,
    Array.from({ length: rank }, (_, d) => (added.has(d) ? 1 : sizes.shift()!)),
  );
};

const transpose: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const strides = stridesOf(x.shape);
  const order = listAttribute(node, "perm") ?? x.shape.map((_, d) => x.shape.length - 1 - d);
  return pick(
    x,
    order.map((d) => x.shape[d]!),
    order.map((d) => strides[d]!),
  );
};

const slice: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const starts = listParameter(node, inputs, 1, "starts") ?? fail(node, "starts are missing");
  const ends = listParameter(node, inputs, 2, "ends") ?? fail(node, "ends are missing");
  const axes = listParameter(node, inputs, 3, "axes") ?? starts.map((_, i) => i);
  const steps = listParameter(node, inputs, 4, "steps") ?? starts.map(() => 1);
  const shape = [...x.shape];
  const strides = stridesOf(x.shape);
  let first = 0;
  axes.forEach((wanted, i) => {
    const axis = axisOf(node, wanted, shape.length);
    const [size, step] = [x.shape[axis]!, steps[i]!];
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const place = (at: number, least: number) => Math.min(Math.max(at < 0 ? at + size : at, least), high);
    const [start, end] = [place(starts[i]!, 0), place(ends[i]!, low)];
    shape[axis] = Math.max(0, Math.ceil((end - start) / step));
    first += start * strides[axis]!;
    strides[axis]! *= step;
  });
  return pick(x, shape, strides, first);
};

export function concatenate(node: Node, inputs: readonly Tensor[]): Tensor {
  const model = inputs[0]!;
  const axis = axisOf(node, numberAttribute(node, "axis", 0), model.shape.length);
  const length = inputs.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const y = tensor(
    model.dtype,
    model.shape.map((size, d) => (d === axis ? length : size)),
    [],
  );
  const strides = stridesOf(y.shape);
  let start = 0;
  for (const x of inputs) {
    offsets(x.shape, strides, start * strides[axis]!).forEach((at, i) => {
      y.data[at] = x.data[i]!;
    });
    start += x.shape[axis]!;
  }
  return y;
}

const split: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const axis = axisOf(node, numberAttribute(node, "axis", 0), x.shape.length);
  const parts = node.outputs.length;
  const chunk = Math.ceil(x.shape[axis]! / parts);
  const sizes =
    listParameter(node, inputs, 1, "split") ??
    node.outputs.map((_, i) => Math.min(chunk, x.shape[axis]! - i * chunk));
  const strides = stridesOf(x.shape);
  let start = 0;
  return sizes.map((size) => {
    const part = pick(
      x,
      x.shape.map((all, d) => (d === axis ? size : all)),
      strides,
      start * strides[axis]!,
    );
    start += size;
    return part;
  });
};

/** Source index along one axis for the index `at`, which may lie before or behind it; −1 for the pad value. */
function source(at: number, size: number, mode: string): number {
  if (at >= 0 && at < size) return at;
  if (mode === "edge") return at < 0 ? 0 : size - 1;
  if (mode === "wrap") return ((at % size) + size) % size;
  if (mode === "reflect") {
    const period = Math.max(2 * (size - 1), 1);
    const folded = ((at % period) + period) % period;
    return folded < size ? folded : period - folded;
  }
  return -1;
}

export function pad(node: Node, inputs: Inputs, value: number): Tensor {
  const x = need(node, inputs, 0);
  const pads = listParameter(node, inputs, 1, "pads") ?? fail(node, "pads are missing");
  const axes = listParameter(node, inputs, 3, "axes")?.map((axis) => axisOf(node, axis, x.shape.length));
  const mode = stringAttribute(node, "mode", "constant");
  const at = (d: number, end: number) => {
    const i = axes ? axes.indexOf(d) : d;
    return i < 0 ? 0 : pads[i + end * (pads.length / 2)]!;
  };
  const shape = x.shape.map((size, d) => size + at(d, 0) + at(d, 1));
  const strides = stridesOf(x.shape);
  // Offset of each output element in x, one axis after the other; −1 where the value goes.
  let from = Int32Array.of(0);
  shape.forEach((size, d) => {
    const next = new Int32Array(from.length * size);
    for (let i = 0; i < from.length; i++)
      for (let j = 0; j < size; j++) {
        const index = source(j - at(d, 0), x.shape[d]!, mode);
        next[i * size + j] = from[i]! < 0 || index < 0 ? -1 : from[i]! + index * strides[d]!;
      }
    from = next;
  });
  return tensor(
    x.dtype,
    shape,
    Array.from(from, (offset) => (offset < 0 ? value : x.data[offset]!)),
  );
}

export const padValue = (node: Node, inputs: Inputs): number =>
  inputs[2]?.data[0] ?? realAttribute(node, "value", 0);

/** Operators that only move elements, so that in an integer region they move codes. */
export const moves: Readonly<Record<string, Operator>> = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Slice: slice,
  Resize: resize,
  Expand: (node, inputs, bindings) => {
    const x = need(node, inputs, 0);
    const wanted =
      dimsAttribute(node, "shape")?.map((dim) => evaluateDim(dim, bindings)) ??
      Array.from(need(node, inputs, 1).data);
    return expand(x, broadcastShapes(x.shape, wanted));
  },
};

export const shapeOperators: Readonly<Record<string, Operator>> = {
  ...moves,
  Split: split,
  Concat: (node, inputs) =>
    concatenate(
      node,
      inputs.map((_, i) => need(node, inputs, i)),
    ),
  Pad: (node, inputs) => pad(node, inputs, padValue(node, inputs)),
};
