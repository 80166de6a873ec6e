// CenterCropPad: the middle of the input where it is larger than `shape`, zeros around it where it is smaller.

import type { Node } from "../../graph/graph";
import type { Shape } from "../../graph/symbols";
import { axesOf, dimsOf, missing } from "../axes";
import { inputType, type Op, opError, type Traits } from "../op";
import { sizesIn } from "../sizes";
import { pad } from "./pad";

/** The Pad that does it: what is one-sided is taken from the end, and added to it. */
export function asPad(node: Node, shape: Shape): Node {
  const wanted = dimsOf(node, "shape");
  if (!wanted) throw missing(node, "shape");
  const axes = axesOf(node, shape.length) ?? shape.map((_, axis) => axis);
  if (wanted.length !== axes.length)
    throw opError(node, "shape does not fit", {
      expected: `${axes.length} dimensions`,
      got: `${wanted.length}`,
    });
  const added = wanted.map((dim, i) => {
    const own = shape[axes[i]!]!;
    if (own === dim) return 0;
    const [from, to] = sizesIn(`${node.op} "${node.name}"`, [own, dim]) as [number, number];
    return to - from;
  });
  const before = added.map((n) => Math.trunc(n / 2));
  const pads = [...before, ...added.map((n, i) => n - before[i]!)];
  return { ...node, inputs: node.inputs.slice(0, 1), attributes: { pads, axes } };
}

/** ONNX CenterCropPad-18. */
export const centerCropPad: Op = {
  inputs: 2,
  attributes: ["axes"],
  parameters: { 1: "shape" },
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    return pad.infer(asPad(node, x.shape), [x]);
  },
  rows: (node, inputs, outputs) => {
    const { rows } = pad;
    return typeof rows === "function" && rows(asPad(node, inputs[0]!.shape), inputs, outputs);
  },
  layout: pad.layout!,
  lower: (unit, c) => pad.lower!({ ...unit, node: asPad(unit.node, c.type(unit.inputs[0]!).shape) }, c),
};

export const centerCropPadTraits: Traits = {
  codes: "none",
  homogeneous: (node, axis, rank) => !(axesOf(node, rank)?.includes(axis) ?? true),
  trained: undefined,
};
