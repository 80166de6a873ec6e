// Writes the quantized graph: every planned integer layer as one node with codes, and QuantizeLinear or DequantizeLinear
// where codes and floats meet. What exists only as codes keeps its name.

import type { CodeParameters, Graph, Node } from "../graph/graph";
import { type Tensor, tensor } from "../graph/tensor";
import type { ToolkitOps } from "../ops/infer";
import type { Affine } from "../ops/scheme";
import type { NamedCodes } from "../rewrite/graph-writer";
import { IntegerWriter } from "../rewrite/integer-writer";
import type { QuantizeMode } from "./options";
import type { IntegerLayer, IntegerPlan } from "./plan";
import type { QuantizedLayer, QuantizedWeights } from "./weights";

export interface ConvertInput {
  readonly ops: ToolkitOps;
  readonly graph: Graph;
  readonly plan: IntegerPlan;
  readonly mode: QuantizeMode;
  /** Scale and zero point of every value that owns some. */
  readonly parameters: ReadonlyMap<string, Affine>;
  readonly layers: ReadonlyMap<Node, QuantizedLayer>;
  /** Weights of recurrences, by the inputs that hold them. */
  readonly recurrences: ReadonlyMap<Node, ReadonlyMap<number, QuantizedWeights>>;
  readonly provenance: Readonly<Record<string, unknown>>;
}

export interface Converted {
  readonly graph: Graph;
  /** Floats that weights and biases were before they became codes, by the constant that holds those. */
  readonly masters: ReadonlyMap<string, Tensor>;
}

export function convert(input: ConvertInput): Converted {
  const { graph, plan } = input;
  const writer = new Writer(input);
  for (const node of graph.nodes) {
    const layer = plan.layers.get(node);
    if (layer) writer.planned(layer);
    else if (!isFused(plan, node)) writer.keep(node);
  }
  for (const output of graph.outputs) writer.bring(output);
  const done = writer.done();
  const provenance = { ...done.provenance, ...input.provenance };
  return { graph: { ...done, provenance }, masters: writer.masters };
}

const isFused = (plan: IntegerPlan, node: Node) =>
  [...plan.layers.values()].some(({ activation }) => activation === node);

/** Values and constants that the new graph has as floats. */
function readAsFloats({ nodes, outputs }: Graph, plan: IntegerPlan): Set<string> {
  const read = nodes.flatMap((node) => {
    const layer = plan.layers.get(node);
    if (!layer) return isFused(plan, node) ? [] : node.inputs;
    const { activations, weights = [] } = layer;
    return node.inputs.filter(
      (_, i) => !activations.includes(i) && !weights.includes(i) && !(layer.layer && i > 0),
    );
  });
  return new Set([...read, ...outputs]);
}

class Writer extends IntegerWriter {
  readonly masters = new Map<string, Tensor>();
  readonly #input: ConvertInput;
  readonly #parameters = new Map<string, CodeParameters>();
  readonly #readAsFloats: ReadonlySet<string>;

  constructor(input: ConvertInput) {
    super(input.graph);
    this.#input = input;
    this.#readAsFloats = readAsFloats(input.graph, input.plan);
  }

  planned({ node, activation, activations, layer, output, result }: IntegerLayer): void {
    const operands: (NamedCodes | string)[] = node.inputs.map((value, i) =>
      activations.includes(i) ? this.#codesOf(value) : this.bring(value),
    );
    for (const [i, weights] of this.#input.recurrences.get(node) ?? [])
      operands[i] = this.#weights(node.inputs[i]!, weights, node.name, -1);
    const quantized = layer && this.#input.layers.get(node)!;
    if (quantized) {
      operands[1] = this.#weights(layer.weight, quantized, node.name);
      const bias = layer.bias ?? `${layer.weight}_bias`;
      if (quantized.bias && result === "codes") operands[2] = this.#biasCodes(bias, quantized, node.name);
      else if (quantized.bias) operands[2] = this.#own(bias, quantized.bias, node.name);
    }
    const made = result === "codes" ? this.#parametersOf(output) : undefined;
    const name = made ? this.fresh(`${output}_codes`) : output;
    const bounds = activation && this.#input.ops[activation.op]!.clamp!(activation);
    this.layer({ ...node, outputs: [name, ...node.outputs.slice(1)] }, operands, made, bounds);
    if (made) this.coded.set(output, { codes: name, ...made });
  }

  /** The codes of a value; a float one is quantized the first time they are asked for. */
  #codesOf(value: string): NamedCodes {
    const known = this.coded.get(value);
    if (known) return known;
    return this.#input.mode === "dynamic" ? this.#quantizeRows(value) : this.#quantize(value);
  }

  #quantize(value: string): NamedCodes {
    const codes = this.fresh(`${value}_codes`);
    const parameters = this.#parametersOf(value);
    const { scale, zeroPoint } = parameters;
    this.add("QuantizeLinear", `${value}_quantize`, [value, scale, zeroPoint], [codes]);
    const coded = { codes, ...parameters };
    this.coded.set(value, coded);
    return coded;
  }

  #quantizeRows(value: string): NamedCodes {
    const [codes, scale, zeroPoint] = ["codes", "scale", "zero_point"].map((what) =>
      this.fresh(`${value}_${what}`),
    ) as [string, string, string];
    this.add("DynamicQuantize", `${value}_quantize`, [value], [codes, scale, zeroPoint], { axis: -1 });
    const coded = { codes, scale, zeroPoint, axis: -1 };
    this.coded.set(value, coded);
    return coded;
  }

  /** Scale and zero point as constants, named after the value whose range they cover. */
  #parametersOf(value: string): CodeParameters {
    const owner = this.#input.plan.parametersOf(value);
    const known = this.#parameters.get(owner);
    if (known) return known;
    const { scale, zeroPoint } = this.#input.parameters.get(owner)!;
    const names = {
      scale: this.constant(`${owner}_scale`, tensor("f32", [], [scale])),
      zeroPoint: this.constant(`${owner}_zero_point`, tensor("u8", [], [zeroPoint])),
    };
    this.#parameters.set(owner, names);
    return names;
  }

  #weights(name: string, { codes, scale, weights }: QuantizedWeights, layer: string, axis = 0): NamedCodes {
    const own = this.#own(name, codes, layer);
    this.masters.set(own, weights);
    const coded = { codes: own, scale: this.constant(`${name}_scale`, scale, layer), zeroPoint: "" };
    return scale.shape.length === 0 ? coded : { ...coded, axis };
  }

  #biasCodes(name: string, { bias, biasCodes }: QuantizedLayer, layer: string): NamedCodes {
    const codes = this.#own(name, biasCodes!, layer);
    this.masters.set(codes, bias!);
    return { codes, scale: "", zeroPoint: "" };
  }

  /** A constant of a layer in its new form, under its own name where nothing reads the old one. */
  #own(name: string, value: Tensor, layer: string): string {
    const { constants } = this.#input.graph;
    const isFree = !this.#readAsFloats.has(name) && this.constants.get(name) === constants.get(name);
    if (!isFree) return this.constant(name, value, layer);
    this.constants.set(name, value);
    return name;
  }
}
