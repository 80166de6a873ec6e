// A graph written anew, node by node: what converting to integer regions and reading them from a file share.

import type { Attribute, Graph, Node } from "../graph/graph";
import { type Tensor, tensorsEqual } from "../graph/tensor";

/** Names of codes and of what they mean. */
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
  readonly #values: Set<string>;
  readonly #nodeNames: Set<string>;
  /** What `dequantized` wrote: a model that was read back has values of the same names. */
  readonly #reals = new Map<string, string>();

  /** All names of `graph` stay taken; its constants are there to be read. */
  constructor(graph: Graph) {
    this.#graph = graph;
    this.constants = new Map(graph.constants);
    this.#values = new Set([
      ...graph.inputs.map(({ name }) => name),
      ...graph.constants.keys(),
      ...graph.nodes.flatMap((node) => node.outputs),
    ]);
    this.#nodeNames = new Set(graph.nodes.map((node) => node.name));
  }

  /** The graph with the nodes written and the constants they read. */
  done(): Graph {
    const used = new Set([...this.nodes.flatMap((node) => node.inputs), ...this.#graph.outputs]);
    const constants = new Map([...this.constants].filter(([name]) => used.has(name)));
    return { ...this.#graph, nodes: this.nodes, constants };
  }

  /** `name`, or a variation of it that no value has yet. */
  fresh(name: string): string {
    return unique(name, this.#values);
  }

  /** A constant under `name`; under another one if that is taken by something else. */
  constant(name: string, value: Tensor, region?: string): string {
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
    const node = { op, name: unique(name, this.#nodeNames), inputs, outputs, attributes };
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

function unique(name: string, taken: Set<string>): string {
  let free = name;
  for (let i = 2; taken.has(free); i++) free = `${name}.${i}`;
  taken.add(free);
  return free;
}
