// Plain forms: the nodes that replace a node without a kernel.

import type { Node, ValueType } from "../graph/graph";
import { allocate, type DType, type Tensor, tensor } from "../graph/tensor";

/** What a rule reads of a graph, and how it changes it: that of rewrite/changes.ts. */
export interface Rewriting {
  constant(value: string | undefined): Tensor | undefined;
  /** The one number a constant holds, whatever its rank. */
  scalar(value: string | undefined): number | undefined;
  /** The node that makes a value, unless it was replaced. */
  producer(value: string | undefined, op?: string): Node | undefined;
  /** A name that nothing in the graph has. */
  fresh(wanted: string): string;
  /** Holds a constant in the place of another that nothing else reads, or under a name that begins like that. */
  hold(of: string, constant: Tensor): string;
  /** Holds a constant matrix with its dimensions exchanged. */
  holdTurned(of: string, as?: string): string;
  /** Holds a vector of one float. */
  holdRepeated(of: string, value: number, length: number): string;
  /** Puts nodes in the place of one. */
  replace(node: Node, ...by: readonly Node[]): void;
}

/**
 * Writes a node, where its op has no kernel for it, with ops that have one, and leaves others alone. A room exports it beside its op, as
 * `gemmPlain` beside `gemm`.
 */
export type PlainRule = (node: Node, rewrite: Rewriting, types: ReadonlyMap<string, ValueType>) => void;

/** Nodes in the place of one, the last of which makes its first output. */
export class Steps {
  readonly nodes: Node[] = [];
  readonly #rewrite: Rewriting;
  readonly #node: Node;

  constructor(rewrite: Rewriting, node: Node) {
    this.#rewrite = rewrite;
    this.#node = node;
  }

  /** `isCore`: the one that keeps the node's name, and its further outputs. */
  add(op: string, inputs: readonly string[], attributes: Node["attributes"] = {}, isCore = false): string {
    const name = isCore ? this.#node.name : this.#rewrite.fresh(`${this.#node.name}_${op.toLowerCase()}`);
    const output = this.#rewrite.fresh(`${this.#node.outputs[0]}_${op.toLowerCase()}`);
    this.nodes.push({ op, name, inputs, outputs: [output], attributes });
    return output;
  }

  /** A constant. */
  constant(value: Tensor, what = "value"): string {
    return this.#rewrite.hold(`${this.#node.name}_${what}`, value);
  }

  /** A constant of one element. */
  filled(dtype: DType, value: number): string {
    return this.constant({ dtype, shape: [], data: allocate(dtype, 1).fill(value) });
  }

  /** A constant of one float. */
  number(value: number): string {
    return this.constant(tensor("f32", [], [value]), "factor");
  }

  done(): void {
    const [first = "", ...others] = this.#node.outputs;
    const last = this.nodes.length - 1;
    const nodes = this.nodes.map((node, i) => {
      const more = node.name === this.#node.name ? others : [];
      return { ...node, outputs: [i === last ? first : node.outputs[0]!, ...more] };
    });
    this.#rewrite.replace(this.#node, ...nodes);
  }
}
