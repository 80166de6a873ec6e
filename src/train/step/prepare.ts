// The deployed graph becomes the graph to train: trained constants become master weights, which the step writes to, and their codes
// are computed in each step. Integer layers stay as they are.

import { type Graph, type Node, valueNames } from "../../graph/graph";
import { FreshNames } from "../../graph/names";
import { sizeOf, type Tensor, tensor } from "../../graph/tensor";
import { sumScales } from "../../ops/codes";
import { times } from "../../ops/compose";
import type { ToolkitOps } from "../../ops/infer";
import { dequantizeBias, dequantizeWeights } from "../../ops/scheme";
import { toolkit } from "../../toolkit/toolkit";

/**
 * A `scale` is trained as a factor of the scales of frozen weight codes, one a channel, which begins as 1; a `step` is the
 * scale itself of weights that are trained, too.
 */
export type Kind = "weight" | "bias" | "scale" | "step";

/** Scales of trained weights follow them, as max|w| over the largest code, or are learned. */
export type WeightScales = "follow" | "learned";

/** How many times smaller or larger than when training began a learned scale may become: it stays positive and finite. */
export const SCALE_ROOM = 64;

/** Something that can be trained. */
export interface Parameter {
  /** Its master in the graph to train, and the constant it becomes, which holds the codes of a weight or bias. */
  readonly name: string;
  readonly kind: Kind;
  /** Node of the layer it belongs to, and that layer's place among all layers. */
  readonly layer: string;
  readonly index: number;
  /** The master as training begins. */
  readonly start: Tensor;
  /** Present where the deployed graph holds codes of it. */
  readonly coded?: Coded;
  /** Names of state beside the master, of weights with codes: those of the last step, and how many moved in each channel. */
  readonly moving?: { readonly codes: string; readonly changed: string };
}

/** How a master becomes constants of the deployed graph. */
export interface Coded {
  readonly codes: string;
  /** Constant with the scales of the weights: of a bias, those of its layer's. */
  readonly scale: string;
  /** Largest code. */
  readonly limit: number;
  /** Constant that holds the scale of the layer's input, where its result is codes: the bias then is, too. */
  readonly inputScale?: string;
  /** Of weights: the bias of the same layer, whose codes bound the scales from below. */
  readonly bias?: string;
  /** Of a bias: the constant that holds the codes of its layer's weights. */
  readonly weightCodes?: string;
}

/** Scale of the input of the layer that something coded belongs to. */
export const inputScaleOf = (graph: Graph, { inputScale }: Coded): number | undefined =>
  inputScale === undefined ? undefined : graph.constants.get(inputScale)!.data[0]!;

/** Master weights by the name of the constant that holds their codes. They are more precise than the codes. */
export type Masters = ReadonlyMap<string, Tensor>;

/** Everything in a graph that could be trained, in its order. */
export function parametersOf(
  graph: Graph,
  masters: Masters = new Map(),
  scales: WeightScales = "follow",
  ops: ToolkitOps = toolkit.ops,
): Parameter[] {
  return new Search(graph, masters, scales, ops).run();
}

class Search {
  readonly #graph: Graph;
  readonly #masters: Masters;
  readonly #scales: WeightScales;
  readonly #ops: ToolkitOps;
  readonly #found = new Map<string, Parameter>();
  readonly #names: FreshNames;

  constructor(graph: Graph, masters: Masters, scales: WeightScales, ops: ToolkitOps) {
    this.#graph = graph;
    this.#masters = masters;
    this.#scales = scales;
    this.#ops = ops;
    this.#names = new FreshNames(valueNames(graph));
  }

  run(): Parameter[] {
    const layers = this.#graph.nodes.filter((node) => this.#isTrained(node));
    for (const [index, node] of layers.entries()) {
      const { weight, bias = -1, others = [] } = this.#ops[node.op]!.trained!;
      const [w = "", b = ""] = [node.inputs[weight], node.inputs[bias]];
      if (this.#graph.constants.get(w)?.dtype === "f32") this.#float(w, "weight", node, index);
      else this.#weight(weight, b, node, index);
      if (b !== "" && this.#graph.constants.get(b)?.dtype === "f32") this.#float(b, "bias", node, index);
      for (const i of others) {
        const { dtype } = this.#graph.constants.get(node.inputs[i] ?? "") ?? {};
        if (dtype === "f32") this.#float(node.inputs[i]!, "weight", node, index);
        else this.#weight(i, "", node, index);
      }
    }
    return [...this.#found.values()];
  }

  /** Of a table, rows of floats are picked, by what is known only when it runs. */
  #isTrained(node: Node): boolean {
    const { weight = -1, table } = this.#ops[node.op]?.trained ?? {};
    const constant = this.#graph.constants.get(node.inputs[weight] ?? "");
    return table ? constant?.dtype === "f32" && constant.shape.length > 1 : weight >= 0;
  }

  #float(name: string, kind: Kind, node: Node, index: number): void {
    if (this.#found.has(name)) return;
    this.#found.set(name, { name, kind, layer: node.name, index, start: this.#graph.constants.get(name)! });
  }

  /** Weights, input `i`, that are codes with a scale a channel, and the bias where it is codes, too. */
  #weight(i: number, b: string, node: Node, index: number): void {
    const w = node.inputs[i] ?? "";
    const [xCodes, , bCodes] = node.codes?.inputs ?? [];
    const { axis, scale = "" } = node.codes?.inputs[i] ?? {};
    const [held, scales] = [this.#graph.constants.get(w), this.#graph.constants.get(scale)];
    if (held?.dtype !== "i8" || !scales || axis === undefined || this.#found.has(w)) return;
    const isOfRows = axis === -1;
    const channels = isOfRows ? sizeOf(held.shape.slice(0, -1)) : held.shape[0]!;
    if (scales.data.length !== channels) return;
    const hasInput = node.codes!.output && this.#graph.constants.has(xCodes?.scale ?? "");
    const inputScale = hasInput ? xCodes!.scale : undefined;
    const bias = bCodes?.scale === "" && inputScale !== undefined ? b : undefined;
    const real = dequantizeWeights(held.data as Int8Array, scales.data as Float32Array);
    const common = { layer: node.name, index };
    const coded = {
      codes: w,
      scale,
      limit: largestCodeOf(held.data),
      ...(inputScale === undefined ? {} : { inputScale }),
    };
    this.#found.set(w, {
      ...common,
      name: w,
      kind: "weight",
      start: this.#masters.get(w) ?? tensor("f32", held.shape, real),
      moving: { codes: this.#names.fresh(`${w}.codes`), changed: this.#names.fresh(`${w}.changed`) },
      coded: { ...coded, ...(bias === undefined ? {} : { bias }) },
    });
    // Factors of frozen codes and learned scales are those of a layer's outputs.
    if (isOfRows) return;
    this.#found.set(`${w} scale`, {
      ...common,
      name: this.#names.fresh(`${w}.scale`),
      kind: "scale",
      start: tensor("f32", [channels], new Float32Array(channels).fill(1)),
      coded,
    });
    if (this.#scales === "learned")
      this.#found.set(`${w} step`, {
        ...common,
        name: this.#names.fresh(`${w}.step`),
        kind: "step",
        start: scales,
        coded,
      });
    if (bias === undefined) return;
    const q = this.#graph.constants.get(bias)!;
    const sums = sumScales(this.#graph.constants.get(inputScale!)!.data[0]!, scales.data as Float32Array);
    this.#found.set(bias, {
      ...common,
      name: bias,
      kind: "bias",
      start: this.#masters.get(bias) ?? tensor("f32", q.shape, dequantizeBias(q.data, sums)),
      coded: { codes: bias, scale, limit: 0, inputScale: inputScale!, weightCodes: w },
    });
  }
}

/** Largest code that weights of as many bits may have: 127, 7, 3 … */
export function largestCodeOf(codes: ArrayLike<number>): number {
  let largest = 1;
  for (let i = 0; i < codes.length; i++) largest = Math.max(largest, Math.abs(codes[i]!));
  let limit = 1;
  while (limit < largest) limit = 2 * limit + 1;
  return limit;
}

/** State beside the master weights: codes of trained weights, and how many of them moved. */
export interface Prepared {
  readonly graph: Graph;
  /** Constants that a step writes to. */
  readonly state: readonly string[];
}

/** The graph to train: parameters are float master weights, and their codes are computed right before they are read. */
export function prepare(graph: Graph, trained: readonly Parameter[]): Prepared {
  const constants = new Map(graph.constants);
  const state: string[] = [];
  const keep = (name: string, value: Tensor) => {
    constants.set(name, value);
    state.push(name);
  };
  for (const { name, start } of trained) keep(name, start);
  const steps = new Map(
    trained.flatMap((p) => (p.kind === "step" ? [[p.coded!.codes, p.name] as const] : [])),
  );
  const byCodes = new Map(
    trained.flatMap((p) => (p.coded && p.kind !== "step" ? [[p.coded.codes, p] as const] : [])),
  );
  const names = new FreshNames([
    ...valueNames(graph),
    ...trained.flatMap(({ name, moving }) => [name, ...Object.values(moving ?? {})]),
  ]);
  const nodeNames = new FreshNames(graph.nodes.map(({ name }) => name));
  /** Values of a step that take the place of constants, by these. */
  const computed = new Map<string, string>();
  const computedOf = (constant: string): string => {
    const known = computed.get(constant) ?? names.fresh(`${constant}@step`);
    computed.set(constant, known);
    return known;
  };
  const nodes: Node[] = [];
  const made = new Set<Parameter>();
  for (const node of graph.nodes) {
    const inputs = [...node.inputs];
    const parameters = node.codes?.inputs.map((p, i) => {
      const parameter = p && byCodes.get(inputs[i]!);
      if (!parameter) return p;
      make(parameter);
      const { codes, scale } = parameter.coded!;
      if (parameter.kind !== "scale") inputs[i] = computedOf(codes);
      return p.scale === "" ? p : { ...p, scale: computedOf(scale), zeroPoint: "" };
    });
    nodes.push(parameters ? { ...node, inputs, codes: { ...node.codes!, inputs: parameters } } : node);
  }
  return { graph: { ...graph, nodes, constants }, state };

  /** Writes the node that computes a parameter's codes, once, after that of the scales it shares. */
  function make(parameter: Parameter): void {
    if (made.has(parameter)) return;
    made.add(parameter);
    const { name, kind, moving } = parameter;
    const coded = parameter.coded!;
    const [codes, scale] = [computedOf(coded.codes), computedOf(coded.scale)];
    const node = { name: nodeNames.fresh(`${name}:quantize`), outputs: [codes, scale] };
    if (kind === "bias") {
      const weight = byCodes.get(coded.weightCodes!);
      if (weight) make(weight);
      const inputs = [name, weight ? scale : coded.scale, coded.inputScale!];
      nodes.push({ ...node, op: "QuantizeBias", inputs, outputs: [codes], attributes: {} });
      return;
    }
    if (kind === "scale") {
      nodes.push({ ...node, ...times(coded.scale, name), outputs: [scale] });
      return;
    }
    const { codes: kept, changed } = moving!;
    keep(kept, graph.constants.get(coded.codes)!);
    const channels = graph.constants.get(coded.scale)!.data.length;
    keep(changed, tensor("i32", [channels], new Int32Array(channels)));
    const bias = trained.some((other) => other.name === coded.bias) ? coded.bias! : "";
    const step = steps.get(coded.codes) ?? "";
    const inputs = [name, kept, changed, bias, step, coded.inputScale ?? ""];
    nodes.push({ ...node, op: "QuantizeWeights", inputs, attributes: { limit: coded.limit, channels } });
  }
}
