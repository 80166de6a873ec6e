// What passes over patterns share: the graph as a table of producers and consumers, and the change they make to it,
// collected first and applied at once, so that a pass stays a function from graph to graph.

import {
  consumersOf,
  type Graph,
  type Node,
  producersOf,
  renamed,
  type ValueType,
  valueNames,
} from "../graph/graph";
import { FreshNames } from "../graph/names";
import { type Tensor, tensor } from "../graph/tensor";
import { inferTypes, type Registry } from "../ops/infer";
import { Room } from "./room";

export class Rewrite {
  readonly graph: Graph;
  readonly #room: Room;
  #producers: ReadonlyMap<string, Node> | undefined;
  #consumers: ReadonlyMap<string, readonly Node[]> | undefined;
  #types: ReadonlyMap<string, ValueType> | undefined;
  readonly #outputs: Set<string>;
  readonly #replaced = new Map<Node, readonly Node[]>();
  readonly #constants = new Map<string, Tensor>();
  readonly #renamed = new Map<string, string>();
  /** Names of constant matrices with their dimensions exchanged. */
  readonly #turned = new Map<string, string>();
  /** Every name there is; made on first use. */
  #names: FreshNames | undefined;

  constructor(graph: Graph, room = new Room(graph)) {
    this.graph = graph;
    this.#room = room;
    this.#outputs = new Set(graph.outputs);
  }

  #producer(value: string): Node | undefined {
    this.#producers ??= producersOf(this.graph);
    return this.#producers.get(value);
  }

  #readers(value: string): readonly Node[] {
    this.#consumers ??= consumersOf(this.graph);
    return this.#consumers.get(value) ?? [];
  }

  /** Type of a value, which some node makes or reads; all are inferred when the first is asked for. */
  type(value: string, registry: Registry): ValueType {
    this.#types ??= inferTypes(this.graph, registry);
    return this.#types.get(value)!;
  }

  /** The node that makes a value, unless this pass has already taken it into another. */
  producer(value: string | undefined, op?: string): Node | undefined {
    const node = this.#producer(value ?? "");
    return node && !this.#replaced.has(node) && (op === undefined || node.op === op) ? node : undefined;
  }

  /** The node that makes a value, if one input alone reads it and it is not an output of the graph. */
  soleProducer(value: string | undefined, op?: string): Node | undefined {
    const node = this.producer(value, op);
    return node && !node.codes && this.readings(value!) === 1 ? node : undefined;
  }

  /** The one node that reads a value, if it is read once and is not an output of the graph. */
  soleConsumer(value: string, op?: string): Node | undefined {
    const node = this.readings(value) === 1 ? this.#readers(value)[0] : undefined;
    return node && !node.codes && !this.#replaced.has(node) && (op === undefined || node.op === op)
      ? node
      : undefined;
  }

  /** How many inputs of nodes read a value, an output of the graph counting as one. */
  readings(value: string): number {
    return this.#readers(value).length + (this.#outputs.has(value) ? 1 : 0);
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
    this.#names ??= new FreshNames([...valueNames(this.graph), ...this.graph.nodes.map(({ name }) => name)]);
    return this.#names.fresh(wanted);
  }

  /**
   * Holds a constant. It takes the place and name of the constant `of` where only the node that is rewritten reads
   * that, else a name of its own that begins so.
   */
  hold(of: string, constant: Tensor): string {
    this.#need(of, constant.data.byteLength);
    return this.#hold(of, constant);
  }

  /**
   * Holds a constant matrix with its dimensions exchanged, once for all that ask: as `hold` does, or under a name that begins with
   * `as`.
   */
  holdTurned(of: string, as = of): string {
    const known = this.#turned.get(of);
    if (known !== undefined) return known;
    const matrix = this.constant(of)!;
    this.#need(of, matrix.data.byteLength);
    const name = this.#hold(as, this.#room.turned(matrix));
    this.#turned.set(of, name);
    return name;
  }

  /** Holds a vector of one float, which is made only where there is room for it. */
  holdRepeated(of: string, value: number, length: number): string {
    this.#need(of, length * Float32Array.BYTES_PER_ELEMENT);
    return this.#hold(of, tensor("f32", [length], new Float32Array(length).fill(value)));
  }

  #need(of: string, bytes: number): void {
    this.#room.need(bytes, 0, `constant "${of}"`);
  }

  #hold(of: string, constant: Tensor): string {
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
    const producer = this.#producer(to);
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
      const passed: string[] = [];
      let last = value;
      for (let next = this.#renamed.get(last); next !== undefined; next = this.#renamed.get(last)) {
        passed.push(last);
        last = next;
      }
      // The end of a long chain is looked for once.
      for (const name of passed) this.#renamed.set(name, last);
      return last;
    };
    return {
      ...this.graph,
      nodes: nodes.flatMap((node) => this.#replaced.get(node) ?? [node]).map((node) => renamed(node, nameOf)),
      constants: this.#constants.size > 0 ? new Map([...constants, ...this.#constants]) : constants,
    };
  }
}
