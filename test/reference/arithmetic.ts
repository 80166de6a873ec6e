// Operators that exporters compute shapes with, so that a graph can be run as it was imported, before any pass.

import { type DType, sizeOf, tensor } from "../../src/graph/tensor";
import { zip } from "./elementwise";
import { axisOf, fail, listAttribute, need, numberAttribute, type Operator, stringAttribute } from "./node";
import { expand, offsets, stridesOf } from "./view";

const shapeOf: Operator = (node, inputs) => {
  const { shape } = need(node, inputs, 0);
  const part = shape.slice(numberAttribute(node, "start", 0), numberAttribute(node, "end", shape.length));
  return tensor("i32", [part.length], part);
};

/** Takes slices of x along an axis, as many as there are indices, which may count from the end; of one outside, the nearest. */
const gather: Operator = (node, inputs) => {
  const [x, indices] = [need(node, inputs, 0), need(node, inputs, 1)];
  const axis = axisOf(node, numberAttribute(node, "axis", 0), x.shape.length);
  const [before, size, after] = [x.shape.slice(0, axis), x.shape[axis]!, x.shape.slice(axis + 1)];
  const stride = stridesOf(x.shape)[axis]!;
  const y = tensor(x.dtype, [...before, ...indices.shape, ...after], []);
  let i = 0;
  for (const start of offsets(
    before,
    before.map((_, d) => stridesOf(x.shape)[d]!),
  ))
    for (const index of indices.data) {
      const inside = Math.max(0, Math.min(index < 0 ? index + size : index, size - 1));
      const from = start + inside * stride;
      for (let inner = 0; inner < sizeOf(after); inner++) y.data[i++] = x.data[from + inner]!;
    }
  return y;
};

/** Floats are truncated on their way to an integer, anything but 0 is true. */
const cast: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const to = stringAttribute(node, "to", "f32") as DType;
  const convert = (value: number) =>
    to === "bool" ? Number(value !== 0) : to === "f32" ? value : Math.trunc(value);
  return tensor(to, x.shape, Array.from(x.data, convert));
};

const constantOfShape: Operator = (node, inputs) => {
  const shape = listAttribute(node, "shape") ?? Array.from(need(node, inputs, 0).data);
  const y = tensor(stringAttribute(node, "dtype", "f32") as DType, shape, []);
  y.data.fill(numberAttribute(node, "value", 0));
  return y;
};

const range: Operator = (node, inputs) => {
  const [start, limit, step] = [0, 1, 2].map((i) => need(node, inputs, i).data[0]!);
  const length = Math.max(0, Math.ceil((limit! - start!) / step!));
  const { dtype } = need(node, inputs, 0);
  return tensor(
    dtype,
    [length],
    Array.from({ length }, (_, i) => start! + i * step!),
  );
};

const where: Operator = (node, inputs) => {
  const [condition, a, b] = [0, 1, 2].map((i) => need(node, inputs, i));
  const shape = zip(
    zip(condition!, a!, () => 0),
    b!,
    () => 0,
  ).shape;
  const [test, left, right] = [condition!, a!, b!].map((x) => expand(x, shape));
  return { ...left!, data: left!.data.map((value, i) => (test!.data[i] ? value : right!.data[i]!)) };
};

const folding =
  (of: (a: number, b: number) => number): Operator =>
  (node, inputs) =>
    inputs.map((_, i) => need(node, inputs, i)).reduce((a, b) => zip(a, b, of));

const mod: Operator = (node, inputs) => {
  const [a, b] = [need(node, inputs, 0), need(node, inputs, 1)];
  const truncating = numberAttribute(node, "fmod", 0) !== 0;
  if (a.dtype === "f32" && !truncating) fail(node, "floats need fmod = 1");
  return zip(a, b, (x, y) => (truncating ? x % y : x - y * Math.floor(x / y)));
};

export const arithmeticOperators: Readonly<Record<string, Operator>> = {
  Shape: shapeOf,
  Size: (node, inputs) => tensor("i32", [], [sizeOf(need(node, inputs, 0).shape)]),
  Gather: gather,
  Cast: cast,
  ConstantOfShape: constantOfShape,
  Range: range,
  Where: where,
  Mod: mod,
  Max: folding(Math.max),
  Min: folding(Math.min),
  Equal: (node, inputs) => {
    const equal = zip(need(node, inputs, 0), need(node, inputs, 1), (a, b) => Number(a === b));
    return tensor("bool", equal.shape, equal.data);
  },
  Not: (node, inputs) => {
    const x = need(node, inputs, 0);
    return tensor(
      "bool",
      x.shape,
      Array.from(x.data, (value) => Number(value === 0)),
    );
  },
};
