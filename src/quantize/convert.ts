// Writes the quantized graph: every planned region as DequantizeLinear… → op [→ activation] → [QuantizeLinear], and
// QuantizeLinear or DequantizeLinear where codes and floats meet outside of regions.

import { consumersOf, type Graph, type Node } from "../graph/graph";
import { type Tensor, tensor } from "../graph/tensor";
import { type CodeNames, GraphWriter } from "../passes/graph-writer";
import type { QuantizeMode } from "./options";
import type { Region, RegionPlan } from "./plan";
import type { Affine } from "./scheme";
import type { QuantizedLayer } from "./weights";

export interface ConvertInput {
  readonly graph: Graph;
  readonly plan: RegionPlan;
  readonly mode: QuantizeMode;
  /** Scale and zero point of every value that owns some. */
  readonly parameters: ReadonlyMap<string, Affine>;
  readonly layers: ReadonlyMap<Node, QuantizedLayer>;
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
    const region = plan.regions.get(node);
    if (region) writer.region(region);
    else if (!isFused(plan, node)) writer.float(node);
  }
  for (const output of graph.outputs) writer.floatOf(output);
  const done = writer.done();
  const provenance = { ...done.provenance, ...input.provenance };
  return { graph: { ...done, provenance }, masters: writer.masters };
}

const isFused = (plan: RegionPlan, node: Node) =>
  [...plan.regions.values()].some(({ activation }) => activation === node);

class Writer extends GraphWriter {
  readonly masters = new Map<string, Tensor>();
  readonly #input: ConvertInput;
  readonly #coded = new Map<string, CodeNames>();
  readonly #parameters = new Map<string, { scale: string; zeroPoint: string }>();
  /** Values that exist as floats in the new graph. */
  readonly #floats: Set<string>;

  constructor(input: ConvertInput) {
    super(input.graph);
    this.#input = input;
    this.#floats = new Set([...input.graph.inputs.map(({ name }) => name), ...input.graph.constants.keys()]);
  }

  /** A node that stays as it is. */
  float(node: Node): void {
    for (const value of node.inputs) if (value !== "") this.floatOf(value);
    this.nodes.push(node);
    for (const value of node.outputs) this.#floats.add(value);
  }

  /** Makes sure that a value exists as floats, under its own name. */
  floatOf(value: string): void {
    if (this.#floats.has(value)) return;
    this.dequantize(this.#coded.get(value)!, `${value}_dequantize`, value);
    this.#floats.add(value);
  }

  region({ node, activation, activations, layer, output, result }: Region): void {
    const region = node.name;
    const sources = new Map(activations.map((i) => [i, this.#codesOf(node.inputs[i]!)] as const));
    const quantized = layer && this.#input.layers.get(node)!;
    const inputs = node.inputs.map((value, i) => {
      const source = sources.get(i);
      return source ? this.dequantized(source, region) : value;
    });
    let attributes = node.attributes;
    if (quantized) {
      inputs[1] = this.#weights(layer.weight, quantized, region);
      const bias = this.#bias(layer.bias ?? `${layer.weight}_bias`, quantized, region, result === "codes");
      if (bias !== undefined) inputs[2] = bias;
      attributes = withoutFactors(node);
    }
    const last = result === "codes" ? this.fresh(`${output}_real@${region}`) : output;
    const own = activation ? node.outputs[0]! : last;
    this.nodes.push({ ...node, inputs, outputs: [own, ...node.outputs.slice(1)], attributes, region });
    if (activation) this.nodes.push({ ...activation, outputs: [last], region });
    if (result === "float") this.#floats.add(output);
    else this.#quantize(output, last, region);
  }

  /** The codes of a value; a float one is quantized the first time they are asked for. */
  #codesOf(value: string): CodeNames {
    const known = this.#coded.get(value);
    if (known) return known;
    return this.#input.mode === "dynamic" ? this.#quantizeRows(value) : this.#quantize(value, value);
  }

  /** QuantizeLinear of `real`, which is `value` or what a region computes for it. */
  #quantize(value: string, real: string, region?: string): CodeNames {
    const codes = this.fresh(`${value}_codes`);
    const { scale, zeroPoint } = this.#parametersOf(value);
    this.add("QuantizeLinear", `${value}_quantize`, [real, scale, zeroPoint], [codes], {}, region);
    const coded = { codes, scale, zeroPoint };
    this.#coded.set(value, coded);
    return coded;
  }

  #quantizeRows(value: string): CodeNames {
    const [codes, scale, zeroPoint] = ["codes", "scale", "zero_point"].map((what) =>
      this.fresh(`${value}_${what}`),
    ) as [string, string, string];
    this.add("DynamicQuantize", `${value}_quantize`, [value], [codes, scale, zeroPoint], { axis: -1 });
    const coded = { codes, scale, zeroPoint, axis: -1 };
    this.#coded.set(value, coded);
    return coded;
  }

  /** Scale and zero point as constants, named after the value whose range they cover. */
  #parametersOf(value: string): { scale: string; zeroPoint: string } {
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

  #weights(name: string, { codes, scale, zeroPoint, axis, weights }: QuantizedLayer, region: string): string {
    const names = {
      codes: this.constant(`${name}_codes`, codes, region),
      scale: this.constant(`${name}_scale`, scale, region),
      zeroPoint: this.constant(`${name}_zero_point`, zeroPoint, region),
      axis,
    };
    this.masters.set(names.codes, weights);
    return this.dequantized(names, region);
  }

  /** The bias a region adds: int32 codes where the accumulator is requantized, else floats. */
  #bias(
    name: string,
    { bias, biasCodes }: QuantizedLayer,
    region: string,
    asCodes: boolean,
  ): string | undefined {
    if (!bias) return undefined;
    if (!asCodes || !biasCodes) return this.#floatBias(name, bias, region);
    const codes = this.constant(`${name}_codes`, biasCodes.codes, region);
    const scale = this.constant(`${name}_scale`, biasCodes.scale, region);
    this.masters.set(codes, bias);
    return this.dequantized({ codes, scale, axis: 0 }, region);
  }

  /** A bias that may have been corrected takes the place of the original where nothing else reads that. */
  #floatBias(name: string, bias: Tensor, region: string): string {
    if ((consumersOf(this.#input.graph).get(name)?.length ?? 0) !== 1)
      return this.constant(name, bias, region);
    this.constants.set(name, bias);
    return name;
  }
}

/** Attributes of a layer without the factors that were multiplied into its constants. */
function withoutFactors({ attributes }: Node): Node["attributes"] {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => name !== "alpha" && name !== "beta"),
  );
}
