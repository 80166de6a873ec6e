// Marks the integer regions of a model that came quantized: DequantizeLinear… → op [→ bias] [→ Relu | Clip] →
// QuantizeLinear, as ONNX's QDQ form has them, with the scales and zero points of the file. Ops that only move codes
// are taken in without a pair around them; codes of constants that no region reads are folded to what they mean.

import { consumersOf, type Graph, type Node, producersOf, type ValueType } from "../graph/graph";
import { type DType, sizeOf, type Tensor, tensor } from "../graph/tensor";
import { sumScales } from "../ops/codes";
import { inferTypes, type ToolkitOps } from "../ops/infer";
import { channelAxis, isLinear, isPlainLayer, type LayerForm, layerForm } from "../ops/linear-layer";
import { numberOf, numbersOf } from "../ops/op";
import { sameShape } from "../ops/reshape";
import {
  biasCodes,
  type CodedConstant,
  codesOf,
  fitSums,
  isComplete,
  isInSumScales,
  kernelCodes,
  largestSums,
  realsOf,
} from "./coded-constant";
import { perChannel } from "./fuse-bias";
import { type CodeNames, GraphWriter } from "./graph-writer";
import type { Room } from "./room";
import { addZeroPointTerm, isGrouped, type ZeroPointTerm, zeroPointTerm } from "./zero-point-term";

/** The graph with its regions marked; the same object where nothing in it is quantized. */
export function markRegions(graph: Graph, registry: ToolkitOps, room?: Room): Graph {
  const isPair = ({ op, region }: Node) =>
    (op === "QuantizeLinear" || op === "DequantizeLinear") && region === undefined;
  return graph.nodes.some(isPair) ? new Marking(graph, registry, room).run() : graph;
}

/** Codes of a computed value. */
interface Coded extends CodeNames {
  readonly dtype: DType;
  /** Undefined where scale and zero point are found at run time. */
  readonly range: { readonly scale: number; readonly zeroPoint: number } | undefined;
}

const sameMeaning = (a: Coded, b: Coded) =>
  a.dtype === b.dtype &&
  a.range !== undefined &&
  a.range.scale === b.range?.scale &&
  a.range.zeroPoint === b.range.zeroPoint;

/** A constant that is added, one number a channel. */
interface Bias {
  readonly name: string;
  readonly values: ArrayLike<number>;
}

interface CodedBias extends Bias {
  readonly codes?: ArrayLike<number>;
  /** Their scales, where codes were made here. */
  readonly scales?: Float32Array;
  /** Where the file has the codes. */
  readonly names?: CodeNames;
}

/** What follows an op in its region. */
interface Tail {
  /** The real value that the op itself makes, its bias in it. */
  readonly value: string;
  readonly bias: Bias | undefined;
  /** What adds the bias, where the op does not. */
  readonly add: Node | undefined;
  readonly activation: Node | undefined;
  /** One or more of equal parameters; none where something else reads the result. */
  readonly quantize: readonly Node[];
  readonly result: string;
}

const activationTypes: readonly DType[] = ["u8", "i8"];
/** Of a layer also the sums themselves. */
const resultTypes: readonly DType[] = [...activationTypes, "i32"];

class Marking {
  readonly #graph: Graph;
  readonly #registry: ToolkitOps;
  readonly #types: ReadonlyMap<string, ValueType>;
  readonly #consumers: ReadonlyMap<string, readonly Node[]>;
  readonly #producers: ReadonlyMap<string, Node>;
  readonly #inputs: ReadonlySet<string>;
  readonly #outputs: ReadonlySet<string>;
  readonly #writer: GraphWriter;
  /** Real values that codes stand for. */
  readonly #coded = new Map<string, Coded>();
  readonly #constants = new Map<string, CodedConstant>();
  /** Values of the new graph. */
  readonly #written: Set<string>;
  /** Codes that are other codes of the new graph. */
  readonly #same = new Map<string, string>();
  /** Codes of the new graph that have to bear the name of an output. */
  readonly #renamed = new Map<string, string>();
  /** Nodes that are in the region of one before them. */
  readonly #taken = new Set<Node>();

  constructor(graph: Graph, registry: ToolkitOps, room: Room | undefined) {
    this.#graph = graph;
    this.#registry = registry;
    this.#types = inferTypes(graph, registry);
    this.#consumers = consumersOf(graph);
    this.#producers = producersOf(graph);
    this.#inputs = new Set(graph.inputs.map(({ name }) => name));
    this.#outputs = new Set(graph.outputs);
    this.#writer = new GraphWriter(graph, room);
    this.#written = new Set([...this.#inputs, ...graph.constants.keys()]);
  }

  run(): Graph {
    for (const node of this.#graph.nodes) if (!this.#taken.has(node)) this.#visit(node);
    for (const output of this.#graph.outputs) this.#need(output);
    const nameOf = (value: string) => this.#renamed.get(value) ?? value;
    const graph = this.#writer.done();
    const nodes = graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(nameOf),
      outputs: node.outputs.map(nameOf),
    }));
    return { ...graph, nodes };
  }

  #visit(node: Node): void {
    const isRead =
      node.region === undefined &&
      (node.op === "DequantizeLinear"
        ? this.#dequantize(node)
        : node.op === "QuantizeLinear"
          ? this.#quantize(node)
          : isLinear(node)
            ? this.#layer(node)
            : this.#move(node) || this.#compute(node));
    if (!isRead) this.#keep(node);
  }

  /** A node that stays as it is. */
  #keep(node: Node): void {
    this.#writer.nodes.push({ ...node, inputs: node.inputs.map((input) => this.#need(input)) });
    for (const output of node.outputs) this.#written.add(output);
  }

  /** The name under which a value is in the new graph, where it is written now if it was not needed before. */
  #need(value: string): string {
    const name = this.#same.get(value) ?? value;
    if (name === "" || this.#written.has(name)) return name;
    const constant = this.#constants.get(name);
    if (constant) this.#writer.constants.set(name, this.#realsOf(constant));
    else if (this.#coded.has(name))
      this.#writer.dequantize(this.#coded.get(name)!, `${name}_dequantize`, name);
    this.#written.add(name);
    return name;
  }

  #realsOf(constant: CodedConstant): Tensor {
    const reals = realsOf(constant);
    this.#writer.need(reals, constant.names.codes);
    return reals;
  }

  #dequantize(node: Node): boolean {
    const [codes, output] = [node.inputs[0]!, node.outputs[0]!];
    if (this.#writer.constants.has(codes)) {
      const constant = this.#constantOf(node, codes);
      if (constant) this.#constants.set(output, constant);
      return constant !== undefined;
    }
    const own = this.#rangeOf(node, this.#types.get(codes)?.dtype) ?? this.#dynamicOf(node.inputs);
    if (own) this.#coded.set(output, { ...own, codes: this.#same.get(codes) ?? codes });
    return own !== undefined;
  }

  /** The DynamicQuantize whose codes these are, with its own scale and zero point. */
  #dynamicOf([codes, scale, zeroPoint = ""]: readonly string[]): Coded | undefined {
    const cast = this.#producers.get(zeroPoint);
    const wide = cast?.op === "Cast" ? cast.inputs[0]! : zeroPoint;
    const { op, outputs, attributes } = this.#producers.get(codes!) ?? {};
    if (op !== "DynamicQuantize" || outputs!.join() !== [codes, scale, wide].join()) return undefined;
    const axis = attributes!.axis === undefined ? undefined : -1;
    return { codes: codes!, scale: scale!, zeroPoint: wide, axis, dtype: "u8", range: undefined };
  }

  /** Codes under a constant scale and zero point, one in all. Their name is not known here. */
  #rangeOf(
    node: Node,
    dtype: DType | undefined,
    types: readonly DType[] = activationTypes,
  ): Coded | undefined {
    const [, scaleName = "", zeroName = ""] = node.inputs;
    const scale = this.#writer.constants.get(scaleName);
    const zero = this.#writer.constants.get(zeroName);
    if (scale?.data.length !== 1 || (zeroName !== "" && zero?.data.length !== 1)) return undefined;
    if (!dtype || !types.includes(dtype)) return undefined;
    const isPlain = zeroName === "" && dtype === "u8";
    const name = zeroName || `${scaleName}_zero_${dtype}`;
    const zeroPoint = isPlain ? undefined : this.#writer.constant(name, zero ?? tensor(dtype, [], [0]));
    const range = { scale: scale.data[0]!, zeroPoint: zero?.data[0] ?? 0 };
    return { codes: "", scale: scaleName, zeroPoint, dtype, range };
  }

  #constantOf(node: Node, codes: string): CodedConstant | undefined {
    const [, scale = "", zeroPoint = ""] = node.inputs;
    const value = this.#writer.constants.get(codes)!;
    const s = this.#writer.constants.get(scale);
    const z = this.#writer.constants.get(zeroPoint);
    if (!s || (zeroPoint !== "" && !z)) return undefined;
    const wanted = numberOf(node, "axis", 1);
    const axis = wanted < 0 ? wanted + value.shape.length : wanted;
    const names = { codes, scale, zeroPoint: zeroPoint === "" ? undefined : zeroPoint, axis };
    const blockSize = numberOf(node, "block_size", 0);
    const constant = { names, codes: value, scale: s, zeroPoint: z, axis, blockSize };
    return isComplete(constant) ? constant : undefined;
  }

  #quantize(node: Node): boolean {
    const [real, output] = [node.inputs[0]!, node.outputs[0]!];
    if (this.#quantizeConstant(node, real, output)) return true;
    const own = this.#rangeOf(node, this.#types.get(output)!.dtype);
    const x = this.#coded.get(real);
    if (!own || !x?.range) return false;
    if (sameMeaning(own, x)) this.#identify(output, x);
    else this.#recode(node, x);
    return true;
  }

  /** Codes of a constant are a constant. */
  #quantizeConstant(node: Node, real: string, output: string): boolean {
    const coded = this.#constants.get(real);
    const plain = this.#writer.constants.get(real);
    const { dtype } = this.#types.get(output)!;
    if ((dtype !== "u8" && dtype !== "i8") || this.#outputs.has(output)) return false;
    const value = coded ? this.#realsOf(coded) : plain;
    if (value?.dtype !== "f32") return false;
    this.#writer.need(value, real);
    this.#writer.constants.set(output, value);
    const parameters = this.#constantOf(node, output);
    if (parameters) this.#writer.constants.set(output, codesOf(value, dtype, parameters));
    else this.#writer.constants.delete(output);
    if (parameters) this.#written.add(output);
    return parameters !== undefined;
  }

  /** `output` is other codes under another name. */
  #identify(output: string, x: Coded): void {
    const isOwn = !this.#inputs.has(x.codes);
    if (!this.#outputs.has(output)) this.#same.set(output, x.codes);
    else if (isOwn && !this.#outputs.has(x.codes) && !this.#renamed.has(x.codes)) {
      this.#renamed.set(x.codes, output);
      this.#same.set(output, x.codes);
    } else this.#carry("Identity", output, x, output);
  }

  /** Codes become those of another scale: a table, made by a Clip that clips nothing. */
  #recode(node: Node, x: Coded): void {
    const region = this.#writer.fresh(`${node.name}_recode`);
    const real = this.#writer.fresh(`${node.inputs[0]}_real@${region}`);
    this.#writer.add("Clip", region, [this.#writer.dequantized(x, region)], [real], {}, region);
    this.#push({ ...node, inputs: [real, ...node.inputs.slice(1)], region });
  }

  #push(node: Node): void {
    this.#writer.nodes.push(node);
    for (const output of node.outputs) this.#written.add(output);
  }

  /** An op that only moves elements: over codes, or once on those of a constant. */
  #move(node: Node): boolean {
    if (!this.#passesCodes(node) || node.inputs.length !== 1 || node.outputs.length !== 1) return false;
    const [input, output] = [node.inputs[0]!, node.outputs[0]!];
    const constant = this.#constants.get(input);
    if (constant) return this.#moveConstant(node, constant);
    const x = this.#coded.get(input);
    if (!x?.range || !this.#registry[node.op]?.lowerInteger) return false;
    this.#carry(node.op, node.name, x, output, node);
    return true;
  }

  #passesCodes(node: Node): boolean {
    const codes = this.#registry[node.op]?.codes;
    return codes === "moves" || (codes === "pads" && numberOf(node, "value", 0) === 0);
  }

  #moveConstant(node: Node, constant: CodedConstant): boolean {
    const { codes, scale, blockSize, names } = constant;
    const isTurned = node.op === "Transpose" && node.attributes.perm !== undefined && blockSize === 0;
    if (this.#registry[node.op]?.codes === "pads" || (scale.data.length !== 1 && !isTurned)) return false;
    const moved = this.#registry[node.op]?.evaluate?.(node, [codes], [codes])?.[0] as Tensor | undefined;
    if (!moved) return false;
    const axis = isTurned ? numbersOf(node, "perm", []).indexOf(constant.axis) : constant.axis;
    const name = this.#writer.constant(`${node.outputs[0]}_codes`, moved);
    this.#constants.set(node.outputs[0]!, {
      ...constant,
      codes: moved,
      axis,
      names: { ...names, codes: name, axis },
    });
    return true;
  }

  /** A region of one input whose result has the input's scale and zero point. */
  #carry(op: string, name: string, x: Coded, output: string, node?: Node): void {
    const isCodes = node === undefined;
    const region = isCodes ? this.#writer.fresh(`${name}_${op}`) : name;
    const real = this.#writer.fresh(`${output}_real@${region}`);
    const inputs = [this.#writer.dequantized(x, region)];
    this.#push({ ...(node ?? { op, name: region, attributes: {} }), inputs, outputs: [real], region });
    const codes = isCodes ? output : this.#writer.fresh(`${output}_codes`);
    this.#requantize(real, x, codes, region);
    if (!isCodes) this.#coded.set(output, { ...x, codes });
  }

  #requantize(real: string, { scale, zeroPoint }: Coded, codes: string, region: string): void {
    const inputs = zeroPoint === undefined ? [real, scale] : [real, scale, zeroPoint];
    this.#writer.add("QuantizeLinear", `${codes}_quantize`, inputs, [codes], {}, region);
    this.#written.add(codes);
  }

  /** Add, Concat, poolings and tables. */
  #compute(node: Node): boolean {
    const { op, inputs } = node;
    const codes = this.#registry[op]?.codes;
    const count = { sum: 2, join: inputs.length, table: 1, mean: 1 }[codes as string] ?? 0;
    const coded = inputs.map((input) => this.#coded.get(input));
    if (count === 0 || count !== inputs.length || !this.#registry[op]?.lowerInteger) return false;
    if (!coded.every((x) => x?.range !== undefined)) return false;
    const shapes = inputs.map((input) => this.#types.get(input)!.shape);
    if (codes === "sum" && !sameShape(shapes[0]!, shapes[1]!)) return false;
    const tail = this.#tailOf(node);
    if (tail.quantize.length === 0) return false;
    this.#write(
      node,
      coded.map((x) => this.#writer.dequantized(x!, node.name)),
      tail,
    );
    return true;
  }

  /** Conv, Gemm and MatMul with constant weights. */
  #layer(node: Node): boolean {
    const [input = "", weight = "", bias] = node.inputs;
    const [x, w] = [this.#coded.get(input), this.#constants.get(weight)];
    const form = w && formOf(node, w.codes.shape);
    if (!x || !w || !form) return false;
    this.#writer.need(w.codes, weight);
    const kernel = kernelCodes(w, form.axis);
    const tail = this.#tailOf(node, form.outputs);
    const own = bias ? this.#biasOf(bias, form.outputs, 1) : undefined;
    if (!kernel || (bias && !own)) return false;
    const { codes, rest } = kernel;
    // In float, groups are faster than two regions of them. Codes of a range found at run time have no float kernel.
    if (rest && x.range && isGrouped(node)) return false;
    const term = rest && zeroPointTerm(node, w, form.axis, rest);
    const isFloat = tail.quantize.length === 0 || !x.range || term !== undefined;
    const region = node.name;
    const scales = isFloat
      ? undefined
      : sumScales(x.range!.scale, w.scale.data as Float32Array, form.outputs);
    if (scales && !this.#canMake(tail, scales)) return false;
    const added = this.#codedBias(own ?? tail.bias, scales);
    if (!fitSums(largestSums(codes, form.axis), added?.codes)) return false;
    if (term && !fitSums(largestSums(term.codes, form.axis))) return false;
    const names = codes === w.codes ? w.names : this.#moved(w, codes, form.axis);
    const reals = [x, names].map((operand) => this.#writer.dequantized(operand, region));
    if (added) reals.push(this.#writeBias(added, region));
    if (term) this.#writeWithTerm(node, x, reals, tail, term);
    else this.#write(node, reals, isFloat ? { ...tail, quantize: [] } : tail);
    return true;
  }

  /** A layer whose weights have more of a zero point than their codes, and what that adds. */
  #writeWithTerm(node: Node, x: Coded, reals: readonly string[], tail: Tail, term: ZeroPointTerm): void {
    const result = this.#writer.fresh(`${tail.value}_part`);
    this.#write(node, reals, { ...tail, activation: undefined, quantize: [], value: result, result });
    addZeroPointTerm(this.#writer, node, x, term, result, tail.value);
    this.#written.add(tail.value);
  }

  /** Codes of 8 bits, and those of int32 that have the scale of the layer's sums. */
  #canMake({ quantize: [last], activation }: Tail, scales: Float32Array): boolean {
    const { range, dtype } = this.#rangeOf(last!, this.#types.get(last!.outputs[0]!)!.dtype, resultTypes)!;
    const areSums = range!.zeroPoint === 0 && scales.every((scale) => scale === range!.scale);
    return dtype !== "i32" || (areSums && !activation);
  }

  #moved({ names }: CodedConstant, codes: Tensor, axis: number): CodeNames {
    const name = this.#writer.constant(`${names.codes}_symmetric`, codes);
    return { codes: name, scale: names.scale, axis };
  }

  /** A constant that is added to every channel, counted from the right. */
  #biasOf(name: string, channels: number, fromRight: number): Bias | undefined {
    const coded = this.#constants.get(name);
    if (coded && coded.codes.data.length !== 1 && coded.codes.data.length !== channels) return undefined;
    const real = coded ? realsOf(coded) : this.#writer.constants.get(name);
    const values = real?.dtype === "f32" ? perChannel(real, channels, fromRight) : undefined;
    return values && { name, values };
  }

  /** A bias in the units of a layer's sums, where these become codes. */
  #codedBias(bias: Bias | undefined, scales: Float32Array | undefined): CodedBias | undefined {
    if (!bias || !scales) return bias;
    const own = this.#constants.get(bias.name);
    if (own && isInSumScales(own, scales)) return { ...bias, names: own.names, codes: own.codes.data };
    return { ...bias, scales, codes: biasCodes(bias.values, scales) };
  }

  #writeBias({ name, values, codes, scales, names }: CodedBias, region: string): string {
    const row = [values.length];
    if (!codes) return this.#writer.constant(this.#need(name), tensor("f32", row, values), region);
    const written = names ?? {
      codes: this.#writer.constant(`${name}_codes`, tensor("i32", row, codes), region),
      scale: this.#writer.constant(`${name}_scale`, tensor("f32", row, scales!), region),
    };
    return this.#writer.dequantized({ ...written, zeroPoint: undefined, axis: 0 }, region);
  }

  #tailOf(node: Node, channels?: number): Tail {
    let value = node.outputs[0]!;
    let bias: Bias | undefined;
    const add = channels !== undefined && !node.inputs[2] ? this.#soleReader(value) : undefined;
    if (add && this.#registry[add.op]?.codes === "sum" && channels !== undefined) {
      const { shape } = this.#types.get(value)!;
      const other = add.inputs[add.inputs[0] === value ? 1 : 0]!;
      if (sameShape(shape, this.#types.get(add.outputs[0]!)!.shape))
        bias = this.#biasOf(other, channels, shape.length - channelAxis(node, shape.length));
      if (bias) value = add.outputs[0]!;
    }
    const next = this.#registry[node.op]?.fusesClamp ? this.#soleReader(value) : undefined;
    const activation = next && this.#registry[next.op]?.clamp?.(next) ? next : undefined;
    const result = activation?.outputs[0] ?? value;
    return {
      value,
      bias,
      add: bias && add,
      activation,
      result,
      quantize: this.#quantizersOf(result, channels === undefined ? activationTypes : resultTypes),
    };
  }

  #soleReader(value: string): Node | undefined {
    const [reader, ...others] = this.#consumers.get(value) ?? [];
    return others.length === 0 && !this.#outputs.has(value) && reader?.region === undefined
      ? reader
      : undefined;
  }

  /** All that reads a value, where that is one QuantizeLinear to these types or some that are the same. */
  #quantizersOf(value: string, types: readonly DType[]): readonly Node[] {
    const readers = this.#consumers.get(value) ?? [];
    if (readers.length === 0 || this.#outputs.has(value)) return [];
    const ranges = readers.map((node) =>
      node.op === "QuantizeLinear" && node.region === undefined
        ? this.#rangeOf(node, this.#types.get(node.outputs[0]!)!.dtype, types)
        : undefined,
    );
    const [first] = ranges;
    return first && ranges.every((range) => range && sameMeaning(range, first)) ? readers : [];
  }

  /** A region of one op, from its dequantized inputs to its tail. */
  #write(node: Node, inputs: readonly string[], tail: Tail): void {
    const { value, add, activation, quantize, result } = tail;
    const region = node.name;
    this.#writer.nodes.push({ ...node, inputs, outputs: [value], region });
    for (const next of [activation, quantize[0]]) if (next) this.#writer.nodes.push({ ...next, region });
    for (const next of [add, activation, quantize[0]]) if (next) this.#taken.add(next);
    if (quantize[0]) {
      const codes = quantize[0].outputs[0]!;
      const own = this.#rangeOf(quantize[0], this.#types.get(codes)!.dtype, resultTypes)!;
      this.#coded.set(result, { ...own, codes });
      this.#written.add(codes);
    } else this.#written.add(result);
  }
}

/** Outputs, and axis of the weights they lie along, of a layer that a kernel over codes can compute. */
function formOf(node: Node, shape: readonly number[]): LayerForm | undefined {
  const form = layerForm(node, shape);
  return typeof form !== "string" && isPlainLayer(node) && sizeOf(shape) > 0 ? form : undefined;
}
