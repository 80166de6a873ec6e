// What a gradient rule is: given the gradient of an op's outputs, it writes nodes that compute those of its inputs.

import type { Attribute, Node, ValueType } from "../../graph/graph";
import type { Tensor } from "../../graph/tensor";
import { opError, type Unit } from "../../ops/op";

/** A backward pass that is being written, last unit first. */
export interface Backward {
  /** Type of a value or constant. */
  type(value: string): ValueType;
  /** The numbers of a constant; undefined for a value that is computed. */
  constant(value: string): Tensor | undefined;
  /** The float value that DynamicQuantize made these codes of. */
  quantized(codes: string): string;
  /** Whether something that is trained lies before this value, so that its gradient is wanted. */
  wants(value: string): boolean;
  /** Writes a node and returns its outputs, as many as asked for. */
  write(
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, Attribute>>,
    outputs?: number,
  ): readonly [string, ...string[]];
  /** A number or array that nodes read. */
  data(tensor: Tensor): string;
  /**
   * What dy is masked from and by what, where the former lives on for others: a node that reads these needs no memory for dy.
   */
  unmasked(dy: string): readonly [gradient: string, mask: string] | undefined;
  /** The gradient that a value was given so far, which is taken from it: a node that adds to it reads it and is given instead. */
  take(value: string): string | undefined;
  /** Adds to the gradient of a value; contributions are summed in the order in which they are given. */
  give(value: string, gradient: string): void;
}

/**
 * Gives gradients to the unit's inputs. `dy` has one for every output, undefined where nothing depends on it; a fused
 * activation and the mask of codes are already applied. Inputs and outputs of a unit over codes are codes, and gradients
 * those of the numbers they stand for.
 */
export type Rule = (unit: Unit, dy: readonly (string | undefined)[], b: Backward) => void;

/** Throws where a parameter is computed, to which no rule gives a gradient. */
export function checkFixed(node: Node): void {
  if (node.inputs.length > 1)
    throw opError(node, "its computed parameters have no gradient", { expected: "constants" });
}
