// Writes the quantized graph: every planned region as DequantizeLinear… → op [→ activation] → [QuantizeLinear], and
// QuantizeLinear or DequantizeLinear where codes and floats meet outside of regions.

import { type Attribute, consumersOf, type Graph, type Node } from "../graph/graph";
import { type Tensor, tensor } from "../graph/tensor";
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

/** Names of the codes of a value and of what they mean. */
interface Coded {
  readonly codes: string;
  readonly scale: string;
  readonly zeroPoint: string;
  /** −1 where scales belong to rows. */
  readonly axis?: number;
}

export function convert(input: ConvertInput): Graph {
  const { graph, plan } = input;
  const writer = new Writer(input);
  for (const node of graph.nodes) {
    const region = plan.regions.get(node);
    if (region) writer.region(region);
    else if (!isFused(plan, node)) writer.float(node);
  }
  for (const output of graph.outputs) writer.floatOf(output);
  const used = new Set(writer.nodes.flatMap((node) => node.inputs));
  const constants = new Map(
    [...writer.constants].filter(([name]) => used.has(name) || graph.outputs.includes(name)),
  );
  return {
    ...graph,
    nodes: writer.nodes,
    constants,
    provenance: { ...graph.provenance, ...input.provenance },
  };
}

const isFused = (plan: RegionPlan, node: Node) =>
  [...plan.regions.values()].some(({ activation }) => activation === node);

class Writer {
  readonly nodes: Node[] = [];
  readonly constants: Map<string, Tensor>;
  readonly #input: ConvertInput;
  /** Every name of a value or constant, so that new ones are new. */
  readonly #names: Set<string>;
  readonly #nodeNames: Set<string>;
  readonly #coded = new Map<string, Coded>();
  readonly #parameters = new Map<string, { readonly scale: string; readonly zeroPoint: string }>();
  /** Values that exist as floats in the new graph. */
  readonly #floats: Set<string>;

  constructor(input: ConvertInput) {
    const { graph } = input;
    this.#input = input;
    this.constants = new Map(graph.constants);
    const inputs = graph.inputs.map(({ name }) => name);
    this.#names = new Set([
      ...inputs,
      ...graph.constants.keys(),
      ...graph.nodes.flatMap((node) => node.outputs),
    ]);
    this.#nodeNames = new Set(graph.nodes.map((node) => node.name));
    this.#floats = new Set([...inputs, ...graph.constants.keys()]);
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
    const { codes, scale, zeroPoint } = this.#coded.get(value)!;
    this.#add("DequantizeLinear", `${value}_dequantize`, [codes, scale, zeroPoint], [value]);
    this.#floats.add(value);
  }

  region({ node, activation, activations, layer, output, result }: Region): void {
    const region = node.name;
    const sources = new Map(activations.map((i) => [i, this.#codesOf(node.inputs[i]!)] as const));
    const quantized = layer && this.#input.layers.get(node)!;
    const inputs = node.inputs.map((value, i) => {
      const source = sources.get(i);
      return source ? this.#dequantized(source, region) : value;
    });
    let attributes = node.attributes;
    if (quantized) {
      inputs[1] = this.#weights(layer.weight, quantized, region);
      const bias = this.#bias(layer.bias ?? `${layer.weight}_bias`, quantized, region, result === "codes");
      if (bias !== undefined) inputs[2] = bias;
      attributes = withoutFactors(node);
    }
    const last = result === "codes" ? this.#fresh(`${output}_real@${region}`) : output;
    const own = activation ? node.outputs[0]! : last;
    this.nodes.push({ ...node, inputs, outputs: [own, ...node.outputs.slice(1)], attributes, region });
    if (activation) this.nodes.push({ ...activation, outputs: [last], region });
    if (result === "float") this.#floats.add(output);
    else this.#quantize(output, last, region);
  }

  /** The codes of a value; a float one is quantized the first time they are asked for. */
  #codesOf(value: string): Coded {
    const known = this.#coded.get(value);
    if (known) return known;
    return this.#input.mode === "dynamic" ? this.#quantizeRows(value) : this.#quantize(value, value);
  }

  /** QuantizeLinear of `real`, which is `value` or what a region computes for it. */
  #quantize(value: string, real: string, region?: string): Coded {
    const codes = this.#fresh(`${value}_codes`);
    const { scale, zeroPoint } = this.#parametersOf(value);
    this.#add("QuantizeLinear", `${value}_quantize`, [real, scale, zeroPoint], [codes], {}, region);
    const coded = { codes, scale, zeroPoint };
    this.#coded.set(value, coded);
    return coded;
  }

  #quantizeRows(value: string): Coded {
    const [codes, scale, zeroPoint] = ["codes", "scale", "zero_point"].map((what) =>
      this.#fresh(`${value}_${what}`),
    ) as [string, string, string];
    this.#add("DynamicQuantize", `${value}_quantize`, [value], [codes, scale, zeroPoint], { axis: -1 });
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
      scale: this.#constant(`${owner}_scale`, tensor("f32", [], [scale])),
      zeroPoint: this.#constant(`${owner}_zero_point`, tensor("u8", [], [zeroPoint])),
    };
    this.#parameters.set(owner, names);
    return names;
  }

  /** DequantizeLinear inside a region, once a region and value. */
  #dequantized({ codes, scale, zeroPoint, axis }: Coded, region: string): string {
    const real = `${codes}_real@${region}`;
    if (this.#names.has(real)) return real;
    const attributes = axis === undefined ? {} : { axis };
    return this.#add(
      "DequantizeLinear",
      real,
      [codes, scale, zeroPoint],
      [this.#fresh(real)],
      attributes,
      region,
    );
  }

  #weights(name: string, { codes, scale, zeroPoint, axis }: QuantizedLayer, region: string): string {
    const names = [
      this.#constant(`${name}_codes`, codes, region),
      this.#constant(`${name}_scale`, scale, region),
      this.#constant(`${name}_zero_point`, zeroPoint, region),
    ];
    const real = `${names[0]}_real@${region}`;
    return this.#add("DequantizeLinear", real, names, [this.#fresh(real)], { axis }, region);
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
    const codes = this.#constant(`${name}_codes`, biasCodes.codes, region);
    const scale = this.#constant(`${name}_scale`, biasCodes.scale, region);
    const real = `${codes}_real@${region}`;
    return this.#add("DequantizeLinear", real, [codes, scale], [this.#fresh(real)], { axis: 0 }, region);
  }

  /** A bias that may have been corrected takes the place of the original where nothing else reads that. */
  #floatBias(name: string, bias: Tensor, region: string): string {
    if ((consumersOf(this.#input.graph).get(name)?.length ?? 0) !== 1)
      return this.#constant(name, bias, region);
    this.constants.set(name, bias);
    return name;
  }

  /** A constant under `name`; under another one if that is taken by something else. */
  #constant(name: string, value: Tensor, region?: string): string {
    const existing = this.constants.get(name);
    if (existing && sameTensor(existing, value)) return name;
    const free = this.#fresh(this.#names.has(name) && region !== undefined ? `${name}@${region}` : name);
    this.constants.set(free, value);
    return free;
  }

  /** `name`, or a variation of it that nothing has yet. */
  #fresh(name: string): string {
    let free = name;
    for (let i = 2; this.#names.has(free); i++) free = `${name}.${i}`;
    this.#names.add(free);
    return free;
  }

  #add(
    op: string,
    name: string,
    inputs: readonly string[],
    outputs: readonly [string, ...string[]],
    attributes: Readonly<Record<string, Attribute>> = {},
    region?: string,
  ): string {
    let free = name;
    for (let i = 2; this.#nodeNames.has(free); i++) free = `${name}.${i}`;
    this.#nodeNames.add(free);
    this.nodes.push({
      op,
      name: free,
      inputs,
      outputs,
      attributes,
      ...(region === undefined ? {} : { region }),
    });
    return outputs[0];
  }
}

/** Attributes of a layer without the factors that were multiplied into its constants. */
function withoutFactors({ op, attributes }: Node): Node["attributes"] {
  if (op !== "Gemm") return attributes;
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => name !== "alpha" && name !== "beta"),
  );
}

function sameTensor(a: Tensor, b: Tensor): boolean {
  const same =
    a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((n, i) => n === b.shape[i]);
  return same && a.data.length === b.data.length && a.data.every((x, i) => Object.is(x, b.data[i]));
}
