// Decides, before any data is seen, which nodes become integer layers: what each reads and writes as codes, and which
// values share scale and zero point. A node that stays float carries the reason.

import { consumersOf, type Graph, type Node, type ValueType } from "../graph/graph";
import { formatShape } from "../graph/symbols";
import { MAX_REDUCTION } from "../ops/codes";
import type { ToolkitOps } from "../ops/infer";
import { isConvolution, isLayer, type LinearLayer, linearLayerOf } from "../ops/linear-layer";
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
  readonly output: string;
  /** Float results are those of products of matrices that only float ops or the caller read. */
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

interface Capability {
  readonly activations: readonly number[];
  readonly layer?: LinearLayer;
}

export function planInteger(
  graph: Graph,
  types: ReadonlyMap<string, ValueType>,
  registry: ToolkitOps,
  mode: QuantizeMode,
  selection: Selection,
): IntegerPlan {
  const consumers = consumersOf(graph);
  const outputs = new Set(graph.outputs);
  const readersOf = (value: string) => consumers.get(value) ?? [];
  const candidates = new Map<Node, Capability | string>();
  for (const node of graph.nodes)
    candidates.set(node, selection.floatReason(node) ?? capabilityOf(node, { graph, types, registry, mode }));
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

  /** The Relu or Clip that alone reads a node's result, where it can be fused, whatever operators were asked for. */
  function activationOf(node: Node): Node | undefined {
    if (!registry[node.op]?.fusesClamp || (!isLayer(node, registry) && registry[node.op]!.codes !== "sum"))
      return undefined;
    const [value] = node.outputs as [string];
    const [next, ...others] = readersOf(value);
    const free = next && registry[next.op]?.clamp?.(next) && others.length === 0 && !outputs.has(value);
    return free && selection.skipReason(next.name) === undefined ? next : undefined;
  }

  /** Inputs of layers with weights: turned into codes wherever they come from. */
  function valuesReadByLayers(): Set<string> {
    const values = new Set<string>();
    for (const [node, capability] of candidates)
      if (typeof capability !== "string" && capability.layer) values.add(node.inputs[0]!);
    return values;
  }

  /** Values that a layer reads, at once or after ops that work on codes. */
  function valuesWantedAsCodes(): Set<string> {
    const values = new Set<string>(readAsCodes);
    for (const node of [...graph.nodes].reverse()) {
      const capability = candidates.get(node)!;
      if (typeof capability === "string" || capability.layer || !values.has(resultOf(node))) continue;
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
    const { layer, activations } = capability;
    const float = layer
      ? undefined
      : activations.map((i) => node.inputs[i]!).find((value) => !coded.has(value));
    if (float !== undefined) return stayFloat(`its input "${float}" is float`);
    const result = resultOf(node);
    const isFloat =
      mode === "dynamic" || (layer !== undefined && !isConvolution(node, registry) && !wanted.has(result));
    const activation = activationBehind.get(node);
    const planned: IntegerLayer = {
      node,
      ...(activation ? { activation } : {}),
      activations,
      ...(layer ? { layer } : {}),
      output: result,
      result: isFloat ? "float" : "codes",
    };
    layers.set(node, planned);
    decisions.push({ node, quantized: true });
    if (!isFloat || readAsCodes.has(result)) coded.add(result);
    if (registry[node.op]?.codes === "moves") owners.set(output, node.inputs[0]!);
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
      if (registry[node.op]?.codes !== "join") continue;
      for (const input of node.inputs) {
        const owner = ownerOf(input);
        const shared = members.get(owner) ?? [];
        const alone = shared.every((value) => !outputs.has(value) && readersOf(value).length === 1);
        if (alone && owner !== ownerOf(output)) owners.set(owner, output);
      }
    }
  }
}

interface Context {
  readonly graph: Graph;
  readonly types: ReadonlyMap<string, ValueType>;
  readonly registry: ToolkitOps;
  readonly mode: QuantizeMode;
}

/** What a node reads as codes, or why it has no integer form. */
function capabilityOf(node: Node, { graph, types, registry, mode }: Context): Capability | string {
  const isConstant = (value: string) => graph.constants.has(value);
  const codes = registry[node.op]?.codes;
  if (mode === "dynamic" && (codes !== "layer" || isConvolution(node, registry)))
    return isConvolution(node, registry)
      ? "convolutions have no dynamic form; use static mode"
      : `${node.op} is float in dynamic mode`;
  if (!registry[node.op]?.lowerInteger) return `${node.op} has no integer kernel`;
  if (isLayer(node, registry)) {
    const layer = linearLayerOf(graph, node, registry);
    if (typeof layer === "string") return layer;
    if (isConstant(node.inputs[0]!)) return "its input is a constant";
    const reduction = layer.inputs * layer.taps;
    if (reduction > MAX_REDUCTION)
      return `it sums ${reduction} products an output; int32 holds ${MAX_REDUCTION} of them at most`;
    if (layer.outputs === 0 || reduction === 0) return "its weight is empty";
    const weights = graph.constants.get(layer.weight)!.data as Float32Array;
    return weights.every(Number.isFinite)
      ? { activations: [0], layer }
      : "its weight has numbers that are not finite";
  }
  const computed = node.inputs.flatMap((value, i) => (value !== "" && !isConstant(value) ? [i] : []));
  const isFloat = (i: number) => types.get(node.inputs[i]!)?.dtype === "f32";
  if (!computed.every(isFloat)) return "it does not work on float numbers";
  if (codes === "sum") {
    const shapes = node.inputs.map((value) => formatShape(types.get(value)!.shape));
    if (computed.length !== 2) return "one side is a constant";
    return shapes[0] === shapes[1] ? { activations: [0, 1] } : `shapes ${shapes.join(" and ")} differ`;
  }
  if (codes === "join")
    return computed.length === node.inputs.length
      ? { activations: computed }
      : "one of its inputs is a constant";
  if (codes !== "table" && codes !== "mean" && codes !== "moves") return `${node.op} has no integer form`;
  const extra = node.inputs.slice(1).some((value) => value !== "");
  return extra || computed[0] !== 0
    ? "it has inputs that are only known while running"
    : { activations: [0] };
}
