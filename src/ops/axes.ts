// Axes, shapes and bounds that nodes carry as attributes, checked and brought into one form.

import type { Node } from "../graph/graph";
import type { Dim } from "../graph/symbols";
import { numbersOf, opError } from "./op";

/** An axis counted from the front. Negative axes count from the back, as in ONNX. */
export function normalizeAxis(node: Node, axis: number, rank: number): number {
  const normalized = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || normalized < 0 || normalized >= rank)
    throw opError(node, "axis outside of its input's dimensions", {
      expected: rank === 0 ? "no axis for a scalar" : `${-rank} to ${rank - 1}`,
      got: `${axis}`,
    });
  return normalized;
}

/** The attribute `axes`, counted from the front, or undefined when the node has none. */
export function axesOf(node: Node, rank: number, name = "axes"): number[] | undefined {
  if (node.attributes[name] === undefined) return undefined;
  const axes = numbersOf(node, name, []).map((axis) => normalizeAxis(node, axis, rank));
  if (new Set(axes).size !== axes.length)
    throw opError(node, `attribute ${name} names an axis twice`, { got: `[${axes.join(", ")}]` });
  return axes;
}

/** A list of dimensions, or undefined when the node has none. */
export function dimsOf(node: Node, name: string): readonly Dim[] | undefined {
  const value = node.attributes[name];
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.some((dim) => typeof dim === "number" && !Number.isSafeInteger(dim)))
    throw opError(node, `attribute ${name} does not fit`, {
      expected: "a list of whole numbers and symbols",
      got: String(value),
    });
  return value as readonly Dim[];
}

/** The error for a node without what it needs. */
export const missing = (node: Node, what: string) => opError(node, `${what} is missing`);
