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
  /** Runs a graph within the model's graph on its inputs, in their order. */
  run(body: Graph<Constant>, inputs: readonly Tensor[]): readonly Tensor[];
}

/** The sizes that a run finds for a node: symbols, or numbers where they are known. */
export function foundBy(node: Node): readonly Dim[] {
  const { found } = node.attributes;
  if (Array.isArray(found)) return found as readonly Dim[];
  throw opError(node, "the sizes that it finds have no symbols", { hint: "Simplify the graph first" });
}
