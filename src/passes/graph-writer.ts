// A graph written anew, node by node: what converting to integer regions and reading them from a file share.

import type { Attribute, Graph, Node } from "../graph/graph";
import { FreshNames } from "../graph/names";
import { type Tensor, tensorsEqual } from "../graph/tensor";
import type { Room } from "./room";

/** FreshNames of codes and of what they mean. */
export interface CodeNames {
  readonly codes: string;
  readonly scale: string;
  /** Absent where it is 0. */
  readonly zeroPoint?: string | undefined;
  /** Axis of the scales; −1 where they belong to rows. */
  readonly axis?: number | undefined;
}

export class GraphWriter {
  readonly nodes: Node[] = [];
  readonly constants: Map<string, Tensor>;
  readonly #graph: Graph;
  /** Every name of a value or constant, so that new ones are new. */
  readonly #values: FreshNames;
  readonly #nodeNames: FreshNames;
  readonly #room: Room | undefined;
  /** What `dequantized` wrote: a model that was read back has values of the same names. */
  readonly #reals = new Map<string, string>();

  /** All names of `graph` stay taken; its constants are there to be read. What is made is counted in `room`. */
  constructor(graph: Graph, room?: Room) {
    this.#graph = graph;
    this.#room = room;
    this.constants = new Map(graph.constants);
    this.#values = new FreshNames(
      [
        ...graph.inputs.map(({ name }) => name),
        ...graph.constants.keys(),
        ...graph.nodes.flatMap((node) => node.outputs),
      ],
      ".",
    );
    this.#nodeNames = new FreshNames(
      graph.nodes.map((node) => node.name),
      ".",
    );
  }

  /** The graph with the nodes written and the constants they read. */
  done(): Graph {
    const used = new Set([...this.nodes.flatMap((node) => node.inputs), ...this.#graph.outputs]);
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
  constant(name: string, value: Tensor, region?: string): string {
    this.need(value, name);
    const existing = this.constants.get(name);
    if (existing && tensorsEqual(existing, value)) return name;
    const free = this.fresh(this.#values.has(name) && region !== undefined ? `${name}@${region}` : name);
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
    region?: string,
  ): string {
    const node = { op, name: this.#nodeNames.fresh(name), inputs, outputs, attributes };
    this.nodes.push(region === undefined ? node : { ...node, region });
    return outputs[0];
  }

  /** Writes the DequantizeLinear that makes `output` of codes. */
  dequantize(
    { codes, scale, zeroPoint, axis }: CodeNames,
    name: string,
    output: string,
    region?: string,
  ): string {
    const inputs = zeroPoint === undefined ? [codes, scale] : [codes, scale, zeroPoint];
    const attributes = axis === undefined ? {} : { axis };
    return this.add("DequantizeLinear", name, inputs, [output], attributes, region);
  }

  /** What codes mean inside a region, written once a region and value. */
  dequantized(coded: CodeNames, region: string): string {
    const wanted = `${coded.codes}_real@${region}`;
    const real = this.#reals.get(wanted) ?? this.dequantize(coded, wanted, this.fresh(wanted), region);
    this.#reals.set(wanted, real);
    return real;
  }
}
