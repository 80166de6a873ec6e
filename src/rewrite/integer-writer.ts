// Writes a graph with integer layers: which values are there as codes, which as they were, and what stands between.

import { type Codes, type Graph, type Node, renamed } from "../graph/graph";
import { codeParameters, GraphWriter, type NamedCodes } from "./graph-writer";
import type { Room } from "./room";

export class IntegerWriter<Coded extends NamedCodes = NamedCodes> extends GraphWriter {
  /** Codes of real values. */
  readonly coded = new Map<string, Coded>();
  /** Values of the new graph. */
  readonly written: Set<string>;
  /** Codes that have to bear the name of another value. */
  readonly renamed = new Map<string, string>();
  /** Codes that integer layers make. */
  readonly #made = new Set<string>();
  readonly #outputs: ReadonlySet<string>;

  constructor(graph: Graph, room?: Room) {
    super(graph, room);
    this.written = new Set([...graph.inputs.map(({ name }) => name), ...graph.constants.keys()]);
    this.#outputs = new Set(graph.outputs);
  }

  /** What exists only as codes keeps its name. */
  override done(): Graph {
    for (const [real, { codes }] of this.coded)
      if (this.#made.has(codes) && !this.written.has(real) && !this.renamed.has(codes))
        if (!this.#outputs.has(codes)) this.renamed.set(codes, real);
    const graph = super.done();
    const nameOf = (value: string) => this.renamed.get(value) ?? value;
    return { ...graph, nodes: graph.nodes.map((node) => renamed(node, nameOf)) };
  }

  /** The name of a value as it was; it is made of its codes where only these are there. */
  bring(value: string): string {
    if (value === "" || this.written.has(value)) return value;
    const coded = this.coded.get(value);
    if (coded) this.dequantize(coded, `${value}_dequantize`, value);
    this.written.add(value);
    return value;
  }

  /** A node that stays as it is. */
  keep(node: Node): void {
    this.nodes.push({ ...node, inputs: node.inputs.map((input) => this.bring(input)) });
    for (const output of node.outputs) this.written.add(output);
  }

  /** An integer layer of operands that are codes, or values as they are. */
  layer(
    node: Omit<Node, "inputs">,
    operands: readonly (NamedCodes | string)[],
    made: Codes["output"],
    bounds?: Codes["bounds"],
  ): void {
    const isCoded = (operand: NamedCodes | string) => typeof operand !== "string";
    this.nodes.push({
      ...node,
      inputs: operands.map((operand) => (isCoded(operand) ? operand.codes : operand)),
      codes: {
        inputs: operands.map((operand) => (isCoded(operand) ? codeParameters(operand) : undefined)),
        ...(made && { output: codeParameters(made) }),
        ...(bounds && { bounds }),
      },
    });
    for (const result of node.outputs) this.written.add(result);
    if (made) this.#made.add(node.outputs[0]!);
  }
}
