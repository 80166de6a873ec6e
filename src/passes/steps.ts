// What a pass writes in the place of one node.

import type { Node } from "../graph/graph";
import { type Tensor, tensor } from "../graph/tensor";
import type { Rewrite } from "./rewrite";

/** Nodes in the place of one, the last of which makes its first output. */
export class Steps {
  readonly nodes: Node[] = [];
  readonly #rewrite: Rewrite;
  readonly #node: Node;

  constructor(rewrite: Rewrite, node: Node) {
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

  /** A constant of one number. */
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
