// Resize to the nearest element: every axis picks elements of the input. By whole factors every element is repeated.

import type { Node } from "../../graph/graph";
import { multiplyDims, type Shape } from "../../graph/symbols";
import { bytesPerElement } from "../../graph/tensor";
import { elementOf, emitCopy, memoryOrder, memoryStrides, requireSameCodes, walkable } from "../copy";
import { inputType, type Lowering, type Op, type Traits, type Unit } from "../op";
import { fillOutside, type Pass, passesOf } from "./resize-passes";
import { isStill, repeatsEach, resizedAxes, resizedShape } from "./resized-axes";

/** How often every element is repeated along each axis, if that is all that a resize does. */
export function factorsOf(node: Node, shape: Shape): number[] | undefined {
  const axes = resizedAxes(node, shape);
  return axes.every((axis) => isStill(axis) || repeatsEach(node, axis))
    ? axes.map(({ scale }) => scale)
    : undefined;
}

function lower(unit: Unit, c: Lowering): void {
  const { node, inputs, outputs } = unit;
  const [x, y] = [inputs[0]!, outputs[0]!];
  const { dtype, shape } = c.type(x);
  const factors = factorsOf(node, shape);
  if (factors) return repeat(node, c, y, x, factors);
  const pick = ({ to, from, windows, axis, outer, inner }: Pass) => {
    const bytes = multiplyDims(inner, bytesPerElement[dtype]);
    const rows = multiplyDims(outer, axis.to);
    c.emit("pick", [to, from, c.data(windows.starts), axis.from, axis.to, bytes], rows);
  };
  const passes = passesOf(node, c, y, x, "nearest");
  passes.forEach(pick);
  fillOutside(unit, c, passes, (value) => elementOf(unit, dtype, value));
}

/** Loops over the repeats of every element, and over elements. */
function repeat(node: Node, c: Lowering, y: string, x: string, factors: readonly number[]): void {
  const { dtype, shape } = c.type(x);
  const layout = c.layout(y);
  const xStrides = memoryStrides(shape, c.layout(x));
  const yStrides = memoryStrides(c.type(y).shape, layout);
  const repeats = factors.map((extent, axis) => ({ extent, y: yStrides[axis]!, x: 0 }));
  const elements = memoryOrder(shape.length, layout).map((axis) => ({
    extent: shape[axis]!,
    y: multiplyDims(yStrides[axis]!, factors[axis]!),
    x: xStrides[axis]!,
  }));
  emitCopy(node, c, dtype, c.output(y), c.input(x), [...repeats, ...elements]);
}

/** ONNX Resize-19 of mode nearest. */
export const resize: Op = {
  inputs: 4,
  attributes: [
    "axes",
    "coordinate_transformation_mode",
    "extrapolation_value",
    "keep_aspect_ratio_policy",
    "nearest_mode",
  ],
  parameters: { 1: "roi", 2: "scales", 3: "sizes" },
  open: [3],
  infer(node, inputs) {
    const { dtype, shape } = inputType(node, inputs, 0);
    return [{ dtype, shape: resizedShape(node, shape) }];
  },
  rows: (node, [x], [y]) => x!.axis === y!.axis && isStill(resizedAxes(node, x!.shape)[x!.axis]!),
  layout: (_, [layout]) => ({ inputs: [walkable(layout)], outputs: [walkable(layout)] }),
  lower,
  lowerInteger(unit, c) {
    requireSameCodes(unit);
    lower(unit, c);
  },
};

export const resizeTraits: Traits = { codes: "moves", homogeneous: undefined, trained: undefined };
