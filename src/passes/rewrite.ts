// What passes over patterns share: the graph as a table of producers and consumers, and the change they make to it,
// collected first and applied at once, so that a pass stays a function from graph to graph.

import { consumersOf, type Graph, type Node, producersOf } from "../graph/graph";
import type { Tensor } from "../graph/tensor";

export class Rewrite {
  readonly graph: Graph;
  readonly #producers: Map<string, Node>;
  readonly #consumers: Map<string, Node[]>;
  readonly #outputs: Set<string>;
  readonly #replaced = new Map<Node, readonly Node[]>();
  readonly #constants = new Map<string, Tensor>();
  readonly #renamed = new Map<string, string>();
  /** Every name there is; made on first use. */
  #names: Set<string> | undefined;

  constructor(graph: Graph) {
    this.graph = graph;
    this.#producers = producersOf(graph);
    this.#consumers = consumersOf(graph);
    this.#outputs = new Set(graph.outputs);
  }

  /** The node that makes a value, unless this pass has already taken it into another. */
  producer(value: string | undefined, op?: string): Node | undefined {
    const node = this.#producers.get(value ?? "");
    return node && !this.#replaced.has(node) && (op === undefined || node.op === op) ? node : undefined;
  }

  /** The node that made a value before this pass. */
  formerProducer(value: string): Node | undefined {
    return this.#producers.get(value);
  }

  /** The node that makes a value which only one input reads, and which is no output of the graph. */
  soleProducer(value: string | undefined, op?: string): Node | undefined {
    const node = this.producer(value, op);
    return node && node.region === undefined && this.readings(value!) === 1 ? node : undefined;
  }

  /** The one node that reads a value, if it is read once and is no output of the graph. */
  soleConsumer(value: string, op?: string): Node | undefined {
    const node = this.readings(value) === 1 ? this.#consumers.get(value)?.[0] : undefined;
    return node && !this.#replaced.has(node) && (op === undefined || node.op === op) ? node : undefined;
  }

  /** How many inputs of nodes read a value, an output of the graph counting as one. */
  readings(value: string): number {
    return (this.#consumers.get(value)?.length ?? 0) + (this.#outputs.has(value) ? 1 : 0);
  }

  isOutput(value: string): boolean {
    return this.#outputs.has(value);
  }

  constant(value: string | undefined): Tensor | undefined {
    return this.graph.constants.get(value ?? "") ?? this.#constants.get(value ?? "");
  }

  /** The one number a constant holds, whatever its rank. */
  scalar(value: string | undefined): number | undefined {
    const constant = this.constant(value);
    return constant?.data.length === 1 ? constant.data[0] : undefined;
  }

  /** A name that nothing in the graph has. */
  fresh(wanted: string): string {
    this.#names ??= new Set([
      ...this.graph.inputs.map((input) => input.name),
      ...this.graph.constants.keys(),
      ...this.graph.nodes.flatMap((node) => [node.name, ...node.outputs]),
    ]);
    let name = wanted;
    for (let i = 2; this.#names.has(name); i++) name = `${wanted}_${i}`;
    this.#names.add(name);
    return name;
  }

  /**
   * Holds a constant. It takes the place and name of the constant `of` where only the node that is rewritten reads
   * that, else a name of its own that begins so.
   */
  hold(of: string, constant: Tensor): string {
    const isFree = this.graph.constants.has(of) && this.readings(of) === 1 && !this.#constants.has(of);
    const name = isFree ? of : this.fresh(of);
    this.#constants.set(name, constant);
    return name;
  }

  /** Puts nodes in the place of one; none removes it. */
  replace(node: Node, ...by: readonly Node[]): void {
    this.#replaced.set(node, by);
  }

  isReplaced(node: Node): boolean {
    return this.#replaced.has(node);
  }

  /**
   * Makes all that read `from` read `to` instead, `from` being removed. Outputs of the graph keep their names: the
   * node that makes `to` then makes `from`. Returns whether that is possible.
   */
  rename(from: string, to: string): boolean {
    if (!this.#outputs.has(from)) {
      this.#renamed.set(from, to);
      return true;
    }
    const producer = this.#producers.get(to);
    if (!producer || this.#outputs.has(to) || this.#renamed.has(to) || this.#replaced.has(producer))
      return false;
    this.#renamed.set(to, from);
    return true;
  }

  /** The graph with all changes; the same object when there are none. */
  done(): Graph {
    if (this.#replaced.size === 0 && this.#renamed.size === 0) return this.graph;
    const { nodes, constants } = this.graph;
    const nameOf = (value: string): string => {
      const next = this.#renamed.get(value);
      return next === undefined ? value : nameOf(next);
    };
    const renamed = (node: Node): Node => ({
      ...node,
      inputs: node.inputs.map(nameOf),
      outputs: node.outputs.map(nameOf),
    });
    return {
      ...this.graph,
      nodes: nodes.flatMap((node) => this.#replaced.get(node) ?? [node]).map(renamed),
      constants: this.#constants.size > 0 ? new Map([...constants, ...this.#constants]) : constants,
    };
  }
}
