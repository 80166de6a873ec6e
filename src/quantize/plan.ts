// Decides, before any data is seen, which nodes become integer layers: what each reads and writes as codes, and which
// values share scale and zero point. A node that stays float carries the reason.

import type { Graph, Node } from "../graph/graph";
import { sizeOf, type Tensor } from "../graph/tensor";
import { MAX_REDUCTION } from "../ops/codes";
import { isConvolution, isLayer, type LinearLayer, linearLayerOf } from "../ops/linear-layer";
import type { IntegerForms } from "../rewrite/integer-forms";
import type { QuantizeMode, Selection } from "./options";

/** An integer layer to be. */
export interface IntegerLayer {
  readonly node: Node;
  /** Relu or Clip that becomes bounds of the layer's last step. */
  readonly activation?: Node;
  /** Indices of the node's inputs that are codes of activations. */
  readonly activations: readonly number[];
  /** Present for sums of products with weights. */
  readonly layer?: LinearLayer;
  /** Of a recurrence: indices of the inputs that hold its weights. */
  readonly weights?: readonly number[];
  readonly output: string;
  /** Matrix products have float results when only float ops or the caller read them. */
  readonly result: "codes" | "float";
}

export interface Decision {
  readonly node: Node;
  readonly quantized: boolean;
  readonly reason?: string;
}

export interface IntegerPlan {
  readonly layers: ReadonlyMap<Node, IntegerLayer>;
  /** One for every node, in order. */
  readonly decisions: readonly Decision[];
  /** Values that integer layers read or make as codes. */
  readonly coded: ReadonlySet<string>;
  /** The value whose range a coded value's scale and zero point come from: itself, or the one it shares them with. */
  parametersOf(value: string): string;
}

type Capability = Pick<IntegerLayer, "activations" | "layer" | "weights">;

/** Whether it turns its input into codes wherever that comes from. */
const hasWeights = ({ layer, weights }: Capability): boolean => layer !== undefined || weights !== undefined;

export function planInteger(
  graph: Graph,
  forms: IntegerForms,
  mode: QuantizeMode,
  selection: Selection,
): IntegerPlan {
  const { ops, outputs } = forms;
  const candidates = new Map<Node, Capability | string>();
  for (const node of graph.nodes)
    candidates.set(node, selection.floatReason(node) ?? capabilityOf(node, graph, forms, mode));
  const isCandidate = (node: Node) => typeof candidates.get(node) !== "string";

  const fused = new Map<Node, Node>();
  for (const node of graph.nodes) {
    const activation = isCandidate(node) ? activationOf(node) : undefined;
    if (activation) fused.set(activation, node);
  }
  const activationBehind = new Map([...fused].map(([activation, node]) => [node, activation] as const));
  const resultOf = (node: Node) => (activationBehind.get(node) ?? node).outputs[0]!;
  const readAsCodes = valuesReadByLayers();
  const wanted = valuesWantedAsCodes();

  const layers = new Map<Node, IntegerLayer>();
  const decisions: Decision[] = [];
  const coded = new Set<string>();
  const owners = new Map<string, string>();
  for (const value of [...graph.inputs.map(({ name }) => name), ...graph.constants.keys()])
    if (readAsCodes.has(value)) coded.add(value);
  for (const node of graph.nodes) decide(node);
  shareConcatenated();
  return { layers, decisions, coded, parametersOf: ownerOf };

  /** The Relu or Clip that a node with two or more operands takes in, whatever operators were asked for. */
  function activationOf(node: Node): Node | undefined {
    if (!isLayer(node, ops) && ops[node.op]!.codes !== "sum") return undefined;
    const next = forms.activationAfter(node);
    return next && selection.skipReason(next.name) === undefined ? next : undefined;
  }

  /** Inputs of layers with weights: turned into codes wherever they come from. */
  function valuesReadByLayers(): Set<string> {
    const values = new Set<string>();
    for (const [node, capability] of candidates)
      if (typeof capability !== "string" && hasWeights(capability)) values.add(node.inputs[0]!);
    return values;
  }

  /** Values that a layer reads, at once or after ops that work on codes. */
  function valuesWantedAsCodes(): Set<string> {
    const values = new Set<string>(readAsCodes);
    for (const node of [...graph.nodes].reverse()) {
      const capability = candidates.get(node)!;
      if (typeof capability === "string" || hasWeights(capability) || !values.has(resultOf(node))) continue;
      for (const i of capability.activations) values.add(node.inputs[i]!);
    }
    return values;
  }

  function decide(node: Node): void {
    const output = node.outputs[0]!;
    const host = fused.get(node);
    if (host && layers.has(host)) {
      decisions.push({ node, quantized: true, reason: `part of "${host.name}"` });
      return;
    }
    const capability = candidates.get(node)!;
    const stayFloat = (reason: string) => {
      decisions.push({ node, quantized: false, reason });
      for (const value of node.outputs) if (readAsCodes.has(value)) coded.add(value);
    };
    if (typeof capability === "string") return stayFloat(capability);
    const { layer, weights, activations } = capability;
    const float = hasWeights(capability)
      ? undefined
      : activations.map((i) => node.inputs[i]!).find((value) => !coded.has(value));
    if (float !== undefined) return stayFloat(`its input "${float}" is float`);
    const result = resultOf(node);
    const isFloat =
      mode === "dynamic" ||
      weights !== undefined ||
      (layer !== undefined && !isConvolution(node, ops) && !wanted.has(result));
    const activation = activationBehind.get(node);
    const planned: IntegerLayer = {
      node,
      ...(activation ? { activation } : {}),
      activations,
      ...(layer ? { layer } : {}),
      ...(weights ? { weights } : {}),
      output: result,
      result: isFloat ? "float" : "codes",
    };
    layers.set(node, planned);
    decisions.push({ node, quantized: true });
    if (!isFloat) coded.add(result);
    for (const value of [result, ...node.outputs.slice(1)]) if (readAsCodes.has(value)) coded.add(value);
    if (ops[node.op]?.codes === "moves") owners.set(output, node.inputs[0]!);
  }

  function ownerOf(value: string): string {
    let owner = value;
    while (owners.has(owner)) owner = owners.get(owner)!;
    return owner;
  }

  /**
   * Codes that are only concatenated get the parameters of the result, so that concatenation copies them. Backwards, so
   * that chains of concatenations end up with one pair of parameters.
   */
  function shareConcatenated(): void {
    const members = new Map<string, string[]>();
    for (const value of coded) members.set(ownerOf(value), [...(members.get(ownerOf(value)) ?? []), value]);
    for (const { node, output } of [...layers.values()].reverse()) {
      if (ops[node.op]?.codes !== "join") continue;
      for (const input of node.inputs) {
        const owner = ownerOf(input);
        const shared = members.get(owner) ?? [];
        const alone = shared.every((value) => !outputs.has(value) && forms.readersOf(value).length === 1);
        if (alone && owner !== ownerOf(output)) owners.set(owner, output);
      }
    }
  }
}

/** What a node reads as codes, or why it has no integer form. */
function capabilityOf(
  node: Node,
  graph: Graph,
  forms: IntegerForms,
  mode: QuantizeMode,
): Capability | string {
  const { ops } = forms;
  const codes = ops[node.op]?.codes;
  if (mode === "dynamic" && isConvolution(node, ops))
    return "convolutions have no dynamic form; use static mode";
  const isProduct = codes === "layer" || codes === "recurrence";
  if (mode === "dynamic" && !isProduct) return `${node.op} is float in dynamic mode`;
  if (codes === "pads") return `${node.op} has no integer form`;
  const activations = forms.activationsOf(node);
  if (typeof activations === "string") return activations;
  if (!isProduct) return { activations };
  if (codes === "recurrence") {
    const weights = ops[node.op]!.weights!;
    const reason = weights.map((i) => rowsReason(graph.constants.get(node.inputs[i]!))).find(Boolean);
    return reason ?? { activations, weights };
  }
  const layer = linearLayerOf(graph, node, ops);
  if (typeof layer === "string") return layer;
  const weight = graph.constants.get(layer.weight)!;
  return weightReason(weight, layer.outputs, layer.inputs * layer.taps) ?? { activations, layer };
}

/** Why weights [..., k] with a scale a row cannot be quantized. */
function rowsReason(weight: Tensor | undefined): string | undefined {
  if (weight?.dtype !== "f32") return "its weight is not a float constant";
  const { shape } = weight;
  return weightReason(weight, sizeOf(shape.slice(0, -1)), shape.at(-1)!);
}

/** Why weights of this many outputs and products an output cannot be quantized. */
function weightReason({ data }: Tensor, outputs: number, reduction: number): string | undefined {
  if (reduction > MAX_REDUCTION)
    return `it sums ${reduction} products an output; int32 holds ${MAX_REDUCTION} of them at most`;
  if (outputs === 0 || reduction === 0) return "its weight is empty";
  const isWhole = (data as Float32Array).every(Number.isFinite);
  return isWhole ? undefined : "its weight has numbers that are not finite";
}
