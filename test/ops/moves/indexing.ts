// Oracles of ops that pick and put elements by indices.

import { tensor } from "../../../src/graph/tensor";
import { axisOf, need, numberAttribute, type Operator, stringAttribute } from "../../reference/node";
import { type Forward, type Real, realOf } from "../../reference/oracle";
import { stridesOf } from "../../reference/view";

const rowAt = (index: number, extent: number) =>
  Math.min(extent - 1, Math.max(0, index < 0 ? index + extent : index));

/** Where each index of GatherElements and ScatterElements points. */
function placesOf(axis: number, x: Real, indices: Real): number[] {
  const [own, strides] = [stridesOf(indices.shape), stridesOf(x.shape)];
  return Array.from(indices.data, (index, at) =>
    indices.shape.reduce((sum, size, d) => {
      const i = d === axis ? rowAt(index, x.shape[d]!) : Math.floor(at / own[d]!) % size;
      return sum + i * strides[d]!;
    }, 0),
  );
}

/** Where each tuple of GatherND and ScatterND points, and the elements there. */
function slicesOf(batchDims: number, x: Real, indices: Real): { places: number[]; size: number } {
  const depth = indices.shape.at(-1)!;
  const strides = stridesOf(x.shape);
  const tuples = indices.shape.slice(0, -1);
  const own = stridesOf(tuples);
  const size = strides[batchDims + depth - 1]!;
  const places = Array.from({ length: tuples.reduce((a, b) => a * b, 1) }, (_, row) => {
    let at = 0;
    for (let d = 0; d < batchDims; d++) at += (Math.floor(row / own[d]!) % tuples[d]!) * strides[d]!;
    for (let k = 0; k < depth; k++)
      at += rowAt(indices.data[row * depth + k]!, x.shape[batchDims + k]!) * strides[batchDims + k]!;
    return at;
  });
  return { places, size };
}

const reductions: Readonly<Record<string, (a: number, b: number) => number>> = {
  none: (_, b) => b,
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  min: Math.min,
  max: Math.max,
};

export const pickedBy: Forward = (node, [x, indices]) => {
  const axis = axisOf(node, numberAttribute(node, "axis", 0), x!.shape.length);
  const places = placesOf(axis, x!, indices!);
  return [{ shape: indices!.shape, data: Float64Array.from(places, (at) => x!.data[at]!) }];
};

export const putBy: Forward = (node, [x, indices, updates]) => {
  const axis = axisOf(node, numberAttribute(node, "axis", 0), x!.shape.length);
  const reduce = reductions[stringAttribute(node, "reduction", "none")]!;
  const data = x!.data.slice();
  for (const [i, at] of placesOf(axis, x!, indices!).entries())
    data[at] = reduce(data[at]!, updates!.data[i]!);
  return [{ shape: x!.shape, data }];
};

export const slicesPicked: Forward = (node, [x, indices]) => {
  const batchDims = numberAttribute(node, "batch_dims", 0);
  const { places, size } = slicesOf(batchDims, x!, indices!);
  const shape = [...indices!.shape.slice(0, -1), ...x!.shape.slice(batchDims + indices!.shape.at(-1)!)];
  const data = places.flatMap((at) => Array.from(x!.data.subarray(at, at + size)));
  return [{ shape, data: Float64Array.from(data) }];
};

export const slicesPut: Forward = (node, [x, indices, updates]) => {
  const { places, size } = slicesOf(numberAttribute(node, "batch_dims", 0), x!, indices!);
  const reduce = reductions[stringAttribute(node, "reduction", "none")]!;
  const data = x!.data.slice();
  for (const [row, at] of places.entries())
    for (let i = 0; i < size; i++) data[at + i] = reduce(data[at + i]!, updates!.data[row * size + i]!);
  return [{ shape: x!.shape, data }];
};

/** What moves elements, over codes and integers, too. */
export const moving = (forward: Forward): { forward: Forward; operator: Operator } => ({
  forward,
  operator(node, inputs) {
    const reals = inputs.map((x) => x && realOf(x));
    const [{ shape, data }] = forward(node, reals) as readonly [Real];
    return tensor(need(node, inputs, 0).dtype, shape, data);
  },
});
