// A graph written anew, node by node: what quantizing and reading quantized files share.

import {
  type Attribute,
  type CodeParameters,
  type Codes,
  type Graph,
  type Node,
  readsOf,
  valueNames,
} from "../graph/graph";
import { FreshNames } from "../graph/names";
import { type Tensor, tensorsEqual } from "../graph/tensor";
import { asFloats, minus, times } from "../ops/compose";
import type { Room } from "./room";

/** A value or constant that holds codes, and how they are read. */
export interface NamedCodes extends CodeParameters {
  readonly codes: string;
}

/** How codes are read. */
export const codeParameters = ({ scale, zeroPoint, axis }: CodeParameters): CodeParameters =>
  axis === undefined ? { scale, zeroPoint } : { scale, zeroPoint, axis };

export class GraphWriter {
  readonly nodes: Node[] = [];
  readonly constants: Map<string, Tensor>;
  readonly #graph: Graph;
  /** Every name of a value or constant, so that new ones are new. */
  readonly #values: FreshNames;
  readonly #nodeNames: FreshNames;
  readonly #room: Room | undefined;

  /** All names of `graph` stay taken; its constants are there to be read. What is made is counted in `room`. */
  constructor(graph: Graph, room?: Room) {
    this.#graph = graph;
    this.#room = room;
    this.constants = new Map(graph.constants);
    this.#values = new FreshNames(valueNames(graph), ".");
    this.#nodeNames = new FreshNames(
      graph.nodes.map((node) => node.name),
      ".",
    );
  }

  /** The graph with the nodes written and the constants they read. */
  done(): Graph {
    const used = new Set([...this.nodes.flatMap(readsOf), ...this.#graph.outputs]);
    const constants = new Map([...this.constants].filter(([name]) => used.has(name)));
    return { ...this.#graph, nodes: this.nodes, constants };
  }

  /** Takes room for a constant, made or compared with another. */
  need({ data }: Tensor, where: string): void {
    this.#room?.need(data.byteLength, data.byteLength, `constant "${where}"`);
  }

  /** `name`, or a variation of it that no value has yet. */
  fresh(name: string): string {
    return this.#values.fresh(name);
  }

  /** A constant under `name`; under another one if that is taken by something else. */
  constant(name: string, value: Tensor, owner?: string): string {
    this.need(value, name);
    const existing = this.constants.get(name);
    if (existing && tensorsEqual(existing, value)) return name;
    const free = this.fresh(this.#values.has(name) && owner !== undefined ? `${name}@${owner}` : name);
    this.constants.set(free, value);
    return free;
  }

  /** Writes a node under `name` or a variation of it; returns its first output. */
  add(
    op: string,
    name: string,
    inputs: readonly string[],
    outputs: readonly [string, ...string[]],
    attributes: Readonly<Record<string, Attribute>> = {},
    codes?: Codes,
  ): string {
    const node = { op, name: this.#nodeNames.fresh(name), inputs, outputs, attributes };
    this.nodes.push(codes ? { ...node, codes } : node);
    return outputs[0];
  }

  /** Writes what makes `output` of codes: DequantizeLinear; of codes whose rows have ranges of their own (q − z) · s. */
  dequantize({ codes, scale, zeroPoint, axis }: NamedCodes, name: string, output: string): string {
    if (axis === -1) {
      const write = (written: Pick<Node, "op" | "inputs" | "attributes">, as: string, made: string) =>
        this.add(written.op, as, written.inputs, [made], written.attributes);
      const [q, z] = [codes, zeroPoint].map((of) =>
        write(asFloats(of), `${name}_${of}`, this.fresh(`${of}_float`)),
      );
      const steps = write(minus(q!, z!), `${name}_steps`, this.fresh(`${output}_steps`));
      return write(times(steps, scale), name, output);
    }
    const inputs = zeroPoint === "" ? [codes, scale] : [codes, scale, zeroPoint];
    return this.add("DequantizeLinear", name, inputs, [output], axis === undefined ? {} : { axis });
  }
}
