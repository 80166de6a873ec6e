// The nodes that one operator of a file becomes, written one after the other.

import type { Attribute, Graph, Node } from "../../graph/graph";
import { tensor } from "../../graph/tensor";
import type { Source, Subgraph } from "./source";

type Attributes = Readonly<Record<string, Attribute>>;

/** The graph with these inputs after its own. Their types are those of what a node gives them: simplifying finds them. */
export const withInputs = (
  { name, inputs, outputs, nodes, constants }: Subgraph,
  more: readonly string[],
): Graph => ({
  name,
  outputs,
  nodes,
  constants,
  inputs: [...inputs, ...more].map((name) => ({ name, dtype: "f32", shape: [] })),
  provenance: {},
});

/** The nodes of one operator, and names for the values between them. */
export class Parts {
  readonly nodes: Node[] = [];
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  /** A constant of one number. */
  scalar(what: string, dtype: "f32" | "i32", value: number): string {
    return this.make("ConstantOfShape", what, [], { shape: [], dtype, value });
  }

  /** A constant vector of integers. */
  integers(what: string, values: readonly number[]): string {
    return this.#source.define(`${this.#source.name}_${what}`, tensor("i32", [values.length], values));
  }

  /** Adds a node whose one output is new; returns that. */
  make(op: string, what: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.several(op, [what], inputs, attributes)[0]!;
  }

  /** Adds a node whose outputs are new; returns them. */
  several(
    op: string,
    what: readonly string[],
    inputs: readonly string[],
    attributes: Attributes = {},
  ): readonly string[] {
    const outputs = what.map((one) => this.#source.fresh(`${this.#source.name}_${one}`));
    this.nodes.push(this.#source.node(attributes, { op, name: outputs[0]!, inputs, outputs }));
    return outputs;
  }

  /** Adds a node that makes an output of the operator. */
  makes(op: string, output: string, inputs: readonly string[], attributes: Attributes = {}): void {
    const name = this.#source.fresh(`${this.#source.name}_${output}`);
    this.nodes.push(this.#source.node(attributes, { op, name, inputs, outputs: [output] }));
  }

  /** The operator itself, which keeps the name. */
  last(
    op: string,
    inputs: readonly string[],
    attributes: Attributes = {},
    outputs: readonly string[] = this.#source.outputs.slice(0, 1),
  ): readonly Node[] {
    return [...this.nodes, this.#source.node(attributes, { op, inputs, outputs })];
  }

  /** The operator itself, and QuantizeLinear of its result. */
  end(op: string, inputs: readonly string[], attributes: Attributes, scale: string, zero: string) {
    const { fresh, name } = this.#source;
    const real = fresh(`${name}_real`);
    const quantize = { op: "QuantizeLinear", name: fresh(`${name}_quantize`), inputs: [real, scale, zero] };
    return [
      ...this.nodes,
      this.#source.node(attributes, { op, inputs, outputs: [real] }),
      this.#source.node({}, quantize),
    ];
  }
}
