// ReduceProd: the product over `axes`, or over all of them. Only folded: exporters count elements with it.

import type { Dim } from "../../graph/symbols";
import { multiplyDims, type Shape } from "../../graph/symbols";
import { sizeOf } from "../../graph/tensor";
import { axesOf } from "../axes";
import { isHeld } from "../broadcast";
import { stridesOf } from "../known";
import { inputType, numberOf, type Op, type Traits } from "../op";

type OpNode = Parameters<Op["infer"]>[0];

/** Which axes are reduced. No axes, or an empty list of them, means all, unless `noop_with_empty_axes`. */
function reducedAxes(node: OpNode, rank: number): boolean[] {
  const axes = axesOf(node, rank) ?? [];
  const isAll = axes.length === 0 && numberOf(node, "noop_with_empty_axes", 0) === 0;
  return Array.from({ length: rank }, (_, axis) => isAll || axes.includes(axis));
}

function reducedShape(node: OpNode, from: Shape): Dim[] {
  const reduced = reducedAxes(node, from.length);
  const keep = numberOf(node, "keepdims", 1) !== 0;
  return from.flatMap((dim, axis) => (reduced[axis] ? (keep ? [1] : []) : [dim]));
}

export const reduceProd: Op = {
  inputs: 2,
  attributes: ["keepdims", "noop_with_empty_axes"],
  parameters: { 1: "axes" },
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    return [{ dtype: x.dtype, shape: reducedShape(node, x.shape) }];
  },
  evaluate(node, [x]) {
    if (!x) return undefined;
    const reduced = reducedAxes(node, x.shape.length);
    const shape = reducedShape(node, x.shape) as number[];
    const kept = stridesOf(x.shape.map((dim, axis) => (reduced[axis] ? 1 : dim)));
    const strides = stridesOf(x.shape);
    const data = new Array<Dim>(sizeOf(shape)).fill(1);
    for (let i = 0; i < x.data.length; i++) {
      let to = 0;
      for (const [axis, stride] of strides.entries())
        if (!reduced[axis]) to += (Math.floor(i / stride) % x.shape[axis]!) * kept[axis]!;
      data[to] = multiplyDims(data[to]!, x.data[i]!);
    }
    if (x.dtype === "i32" && !data.every(isHeld)) return undefined;
    return [{ dtype: x.dtype, shape, data }];
  },
};

export const reduceProdTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
