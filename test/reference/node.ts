// How the reference reads a node: attributes by name, with parameters found either as an attribute or as an input.

import type { Node } from "../../src/graph/graph";
import type { Bindings, Dim } from "../../src/graph/symbols";
import type { Tensor } from "../../src/graph/tensor";

export type Inputs = readonly (Tensor | undefined)[];
export type Operator = (node: Node, inputs: Inputs, bindings: Bindings) => Tensor | readonly Tensor[];

export function fail(node: Node, what: string): never {
  throw new Error(`reference: ${node.op} "${node.name}": ${what}`);
}

export function numberAttribute(node: Node, name: string, otherwise: number): number {
  const value = node.attributes[name] ?? otherwise;
  return typeof value === "number" ? value : fail(node, `attribute ${name} is no number`);
}

/** A float attribute, which ONNX holds as f32. */
export const realAttribute = (node: Node, name: string, otherwise: number): number =>
  Math.fround(numberAttribute(node, name, otherwise));

export function stringAttribute(node: Node, name: string, otherwise: string): string {
  const value = node.attributes[name] ?? otherwise;
  return typeof value === "string" ? value : fail(node, `attribute ${name} is no string`);
}

/** A list, also where a scalar parameter was stored as a plain number. */
export function dimsAttribute(node: Node, name: string): readonly Dim[] | undefined {
  const value = node.attributes[name];
  if (value === undefined) return undefined;
  if (typeof value === "number") return [value];
  return typeof value === "string" ? fail(node, `attribute ${name} is no list`) : value;
}

export function listAttribute(node: Node, name: string): readonly number[] | undefined {
  return dimsAttribute(node, name)?.map((value) =>
    typeof value === "number" ? value : fail(node, `attribute ${name} holds the symbol ${value}`),
  );
}

/** A parameter: the attribute, or else the elements of input `index`. */
export function listParameter(
  node: Node,
  inputs: Inputs,
  index: number,
  name: string,
): readonly number[] | undefined {
  const input = inputs[index];
  return listAttribute(node, name) ?? (input && Array.from(input.data));
}

export function need(node: Node, inputs: Inputs, index: number): Tensor {
  return inputs[index] ?? fail(node, `input ${index} is missing`);
}

/** An axis counted from the front. */
export function axisOf(node: Node, axis: number, rank: number): number {
  const from = axis < 0 ? axis + rank : axis;
  return from >= 0 && from < rank ? from : fail(node, `axis ${axis} of a tensor of rank ${rank}`);
}
