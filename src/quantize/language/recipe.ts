// Which constants of a language model become codes, and the graph that reads them: layers over u8 codes of a row, tables of int8
// rows, caches of int8 heads. A constant that several nodes read stays one.

import { keySizeOf } from "../../../assembly/language/attention-sizes";
import { type CodeParameters, type Graph, type Node, type State, valueNames } from "../../graph/graph";
import { FreshNames } from "../../graph/names";
import type { Dim } from "../../graph/symbols";
import type { Constant } from "../../graph/tensor";
import type { ToolkitOps } from "../../ops/infer";
import { isConvolution, isLayer } from "../../ops/linear-layer";
import { GROUP } from "./layer-weights";

export interface RecipeOptions {
  /** Bits of a layer's weights; embedding and head always have 8. */
  readonly bits: 4 | 8;
  /** Layers that lead back from the feed-forward's width have 8 bits. */
  readonly large?: boolean;
  /** One scale for all of a tensor, weights and activations: for comparison. */
  readonly naive?: boolean;
  /** Keys and values of attention stay floats. */
  readonly floatCache?: boolean;
  /** Weights whose source has codes of 4 bits, which they keep: with whole scales, or with the float scales and offsets of blocks. */
  readonly kept?: ReadonlyMap<string, KeptCodes>;
}

export type KeptCodes = "whole" | "blocks";

/** A constant that becomes codes [n, k]. */
export interface CodedWeight {
  readonly name: string;
  readonly bits: 4 | 8;
  readonly n: number;
  readonly k: number;
  /** Its constant of f32 [n]; "" where blocks have float scales. */
  readonly scale: string;
  /** Its constant of i8 [n, k / GROUP], f32 where blocks have float scales; weights of 4 bits only. */
  readonly groups?: string;
  /** Its constant of f32 [n, k / GROUP]; blocks only. */
  readonly offsets?: string;
  /** Its codes come from the source. */
  readonly kept?: KeptCodes;
  /** The value whose rows it is multiplied with; undefined for a table alone. */
  readonly input?: string;
}

export interface CodedGraph {
  readonly graph: Graph<Constant>;
  /** By the name of the constant. */
  readonly weights: ReadonlyMap<string, CodedWeight>;
}

/** Name of a layer from the feed-forward's width to the hidden state, as builders give it. */
const DOWN = /\.down$/;

const isMatrix = (constant: Constant | undefined) =>
  constant?.dtype === "f32" && constant.shape.length === 2 && constant.shape.every((n) => n > 0);

type Constants = ReadonlyMap<string, Constant>;

/** Whether a node is a layer over a float matrix. */
export const isLayerOf = (node: Node, constants: Constants, ops: ToolkitOps): boolean =>
  isLayer(node, ops) &&
  !isConvolution(node, ops) &&
  isMatrix(constants.get(node.inputs[1]!)) &&
  !constants.has(node.inputs[0]!);

/** Whether a node picks rows of a float matrix. */
const isTableOf = ({ op, inputs, attributes }: Node, constants: Constants, ops: ToolkitOps): boolean =>
  ops[op]?.trained?.table === true &&
  (attributes.axis ?? 0) === 0 &&
  isMatrix(constants.get(inputs[0]!)) &&
  !constants.has(inputs[1]!);

/** The graph over codes of a graph of floats. Constants of codes have no elements yet. */
export function codedGraph(graph: Graph<Constant>, options: RecipeOptions, ops: ToolkitOps): CodedGraph {
  const coder = new Coder(graph, options, ops);
  const nodes = graph.nodes.flatMap((node) => coder.write(node));
  return {
    graph: { ...graph, nodes, constants: coder.constants, states: coder.states() },
    weights: coder.weights,
  };
}

class Coder {
  readonly constants: Map<string, Constant>;
  readonly weights = new Map<string, CodedWeight>();
  readonly #graph: Graph<Constant>;
  readonly #options: RecipeOptions;
  readonly #isLayer: (node: Node) => boolean;
  readonly #isTable: (node: Node) => boolean;
  readonly #values: FreshNames;
  readonly #nodes: FreshNames;
  /** Codes of a value, once for all that read it. */
  readonly #codes = new Map<string, { readonly codes: string; readonly parameters: CodeParameters }>();
  readonly #states = new Map<string, readonly State[]>();
  /** Constants whose rows an index picks, and constants of the head: they keep 8 bits. */
  readonly #wide: ReadonlySet<string>;

  constructor(graph: Graph<Constant>, options: RecipeOptions, ops: ToolkitOps) {
    this.#graph = graph;
    this.#isLayer = (node) => isLayerOf(node, graph.constants, ops);
    this.#isTable = (node) => isTableOf(node, graph.constants, ops);
    this.#options = options;
    this.constants = new Map(graph.constants);
    this.#values = new FreshNames(valueNames(graph));
    this.#nodes = new FreshNames(graph.nodes.map(({ name }) => name));
    const tables = graph.nodes.filter(this.#isTable);
    const heads = graph.nodes.filter((node) => this.#isLayer(node) && this.#isHead(node));
    this.#wide = new Set([
      ...tables.map(({ inputs }) => inputs[0]!),
      ...heads.map(({ inputs }) => inputs[1]!),
    ]);
  }

  /** Nodes that take the place of one. */
  write(node: Node): Node[] {
    if (this.#isLayer(node)) return this.#layer(node);
    if (this.#isTable(node)) return [this.#table(node)];
    const isCoded = node.op === "CachedAttention" && !this.#options.floatCache;
    return [isCoded ? this.#attention(node) : node];
  }

  states(): State[] {
    return (this.#graph.states ?? []).flatMap((state) => this.#states.get(state.name) ?? [state]);
  }

  /** Whether no layer with weights follows, only operations on logits. */
  #isHead(layer: Node): boolean {
    let value = layer.outputs[0]!;
    for (const node of this.#graph.nodes.slice(this.#graph.nodes.indexOf(layer) + 1)) {
      if (!node.inputs.includes(value) || this.#isLayer(node)) return false;
      value = node.outputs[0]!;
    }
    return this.#graph.outputs.includes(value);
  }

  #layer(node: Node): Node[] {
    const [x, w, ...bias] = node.inputs as [string, string, ...string[]];
    const before: Node[] = [];
    let known = this.#codes.get(x);
    if (!known) {
      const [codes, scale, zeroPoint] = ["codes", "scale", "zero"].map((part) =>
        this.#values.fresh(`${x}_${part}`),
      );
      const isPerRow = !this.#options.naive;
      before.push({
        op: "DynamicQuantize",
        name: this.#nodes.fresh(`${x}_codes`),
        inputs: [x],
        outputs: [codes!, scale!, zeroPoint!],
        attributes: isPerRow ? { axis: -1 } : {},
      });
      const pair = { scale: scale!, zeroPoint: zeroPoint! };
      known = { codes: codes!, parameters: isPerRow ? { ...pair, axis: -1 } : pair };
      this.#codes.set(x, known);
    }
    const weight = this.#weight(w, DOWN.test(node.name), x);
    const codes = { inputs: [known.parameters, parametersOf(weight), ...bias.map(() => undefined)] };
    return [...before, { ...node, inputs: [known.codes, w, ...bias], codes }];
  }

  #table(node: Node): Node {
    const weight = this.#weight(node.inputs[0]!, false);
    return { ...node, codes: { inputs: [parametersOf(weight), undefined] } };
  }

  #weight(name: string, isDown: boolean, input?: string): CodedWeight {
    const known = this.weights.get(name);
    if (known) {
      const both = known.input === undefined && input !== undefined ? { ...known, input } : known;
      this.weights.set(name, both);
      return both;
    }
    const [n, k] = this.#graph.constants.get(name)!.shape as [number, number];
    const isWide = this.#wide.has(name) || (isDown && this.#options.large === true) || k % GROUP !== 0;
    const kept = isWide ? undefined : this.#options.kept?.get(name);
    const bits = isWide ? 8 : kept ? 4 : this.#options.bits;
    const constant = (part: string, dtype: "i8" | "f32", shape: readonly number[]) => {
      const own = this.#values.fresh(`${name}_${part}`);
      this.constants.set(own, { dtype, shape, isNarrow: true });
      return own;
    };
    this.constants.set(name, { dtype: "i8", shape: [n, k], isNarrow: true });
    const across = [n, k / GROUP];
    const weight: CodedWeight = {
      ...{ name, bits, n, k },
      scale: kept === "blocks" ? "" : constant("scale", "f32", [n]),
      ...(bits === 4 && { groups: constant("groups", kept === "blocks" ? "f32" : "i8", across) }),
      ...(kept === "blocks" && { offsets: constant("offsets", "f32", across) }),
      ...(input === undefined ? {} : { input }),
      ...(kept && { kept }),
    };
    this.weights.set(name, weight);
    return weight;
  }

  /** Keys and values as codes of a token and head, each with a scale. */
  #attention(node: Node): Node {
    const [q, k, v, ...caches] = node.inputs as [string, string, string, ...string[]];
    const heads = Number(node.attributes.kv_num_heads);
    const inputs = caches.flatMap((name, i) => {
      const state = this.#graph.states!.find((own) => own.name === name);
      // What is added to scores.
      if (!state) return [name];
      const [positions, width] = state.shape as [Dim, number];
      const scales = this.#states.get(name)?.[1]?.name ?? this.#values.fresh(`${name}_scales`);
      this.#states.set(name, [
        { name, dtype: "i8", shape: [positions, i === 0 ? heads * keySizeOf(width / heads) : width] },
        { name: scales, dtype: "f32", shape: [positions, heads] },
      ]);
      return [name, scales];
    });
    return { ...node, inputs: [q, k, v, ...inputs] };
  }
}

/** How a weight's codes are read. */
const parametersOf = ({ scale, groups, offsets }: CodedWeight): CodeParameters => ({
  scale,
  zeroPoint: "",
  axis: 0,
  ...(groups === undefined
    ? {}
    : { groups: { size: GROUP, scales: groups, ...(offsets === undefined ? {} : { offsets }) } }),
});
