// What the host computes between steps of a run: values that no kernel computes, and sizes that only a run finds.

import type { Graph, Node } from "../graph/graph";
import type { Dim } from "../graph/symbols";
import type { Constant, Tensor } from "../graph/tensor";
import { opError } from "./op";

/** Results of an act: its outputs in their order, and the values of the symbols in its attribute `found`. */
export interface Acted {
  readonly outputs: readonly Tensor[];
  readonly found: readonly number[];
}

/** What an act may ask of the model that runs it. */
export interface Host {
  /**
   * Runs a graph within the model's graph on its inputs, in their order. Results may be written over `spare`: those of a run before that
   * nobody reads any more.
   */
  readonly run: (
    body: Graph<Constant>,
    inputs: readonly Tensor[],
    spare?: readonly Tensor[],
  ) => readonly Tensor[];
  /** Types that its results have for such inputs; sizes that only a run knows are 0. */
  readonly typesOf: (body: Graph<Constant>, inputs: readonly Tensor[]) => readonly Omit<Tensor, "data">[];
  /** Counts an iteration of a loop. Throws where the run has done too many. */
  readonly iterate: (node: Node) => void;
}

/** The sizes that a run finds for a node: symbols, or numbers where they are known. Without the attribute they have names of its own. */
export function foundBy(node: Node, count = 1): readonly Dim[] {
  const { attributes, outputs, name } = node;
  if (Array.isArray(attributes.found)) {
    if (attributes.found.length === count) return attributes.found as readonly Dim[];
    throw opError(node, "attribute found does not fit", {
      expected: `${count} symbols`,
      got: `${attributes.found.length}`,
    });
  }
  return Array.from({ length: count }, (_, i) => symbolOf(outputs[0] ?? name, i));
}

/** A symbol that is named after a value. */
export const symbolOf = (value: string, i: number): string =>
  `${value.replace(/\W/g, "_").replace(/^(?=\d|$)/, "_")}_${i}`;
