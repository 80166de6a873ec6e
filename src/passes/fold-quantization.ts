// Reads a model that came quantized: DequantizeLinear… → op [→ bias] [→ Relu | Clip] → QuantizeLinear, as ONNX's QDQ form has
// it, becomes one integer layer with the scales and zero points of the file. Ops that only move codes are taken in without a
// pair around them; codes of constants that no integer layer reads are folded to what they mean.

import {
  type CodeParameters,
  consumersOf,
  type Graph,
  type Node,
  producersOf,
  renamed,
  type ValueType,
} from "../graph/graph";
import { type DType, sizeOf, type Tensor, tensor } from "../graph/tensor";
import { sumScales } from "../ops/codes";
import { inferTypes, type ToolkitOps } from "../ops/infer";
import { channelAxis, isLinear, isPlainLayer, type LayerForm, layerForm } from "../ops/linear-layer";
import { numberOf, numbersOf } from "../ops/op";
import { sameShape } from "../ops/reshape";
import { quantizeBias } from "../ops/scheme";
import {
  type CodedConstant,
  codesOf,
  fitSums,
  I32_LIMIT,
  isComplete,
  isInSumScales,
  kernelCodes,
  largestSums,
  realsOf,
} from "./coded-constant";
import { perChannel } from "./fuse-bias";
import { codeParameters, GraphWriter, type NamedCodes } from "./graph-writer";
import type { Room } from "./room";
import { addZeroPointTerm, isGrouped, type ZeroPointTerm, zeroPointTerm } from "./zero-point-term";

/** The graph with its integer layers; the same object where nothing in it is quantized. */
export function foldQuantization(graph: Graph, registry: ToolkitOps, room?: Room): Graph {
  const isPair = ({ op }: Node) => op === "QuantizeLinear" || op === "DequantizeLinear";
  return graph.nodes.some(isPair) ? new Folding(graph, registry, room).run() : graph;
}

/** How codes of a computed value are read. */
interface Reading extends CodeParameters {
  readonly dtype: DType;
  /** Undefined where scale and zero point are found at run time. */
  readonly range: { readonly scale: number; readonly zeroPoint: number } | undefined;
}

/** Codes of a computed value. */
type CodedValue = Reading & NamedCodes;

const sameMeaning = (a: Reading, b: Reading) =>
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
  /** The constant of the file that holds the codes. */
  readonly held?: string;
}

/** What follows an op in its integer layer. */
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

class Folding {
  readonly #graph: Graph;
  readonly #registry: ToolkitOps;
  readonly #types: ReadonlyMap<string, ValueType>;
  readonly #consumers: ReadonlyMap<string, readonly Node[]>;
  readonly #producers: ReadonlyMap<string, Node>;
  readonly #inputs: ReadonlySet<string>;
  readonly #outputs: ReadonlySet<string>;
  readonly #writer: GraphWriter;
  /** Real values that codes stand for. */
  readonly #coded = new Map<string, CodedValue>();
  /** Codes that integer layers make. */
  readonly #made = new Set<string>();
  readonly #constants = new Map<string, CodedConstant>();
  /** Values of the new graph. */
  readonly #written: Set<string>;
  /** Codes that are other codes of the new graph. */
  readonly #same = new Map<string, string>();
  /** Codes of the new graph that have to bear the name of an output. */
  readonly #renamed = new Map<string, string>();
  /** Nodes that are part of the integer layer of an earlier one. */
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
    // What exists only as codes keeps its name.
    for (const [real, { codes }] of this.#coded)
      if (this.#made.has(codes) && !this.#written.has(real) && !this.#renamed.has(codes))
        if (!this.#outputs.has(codes)) this.#renamed.set(codes, real);
    const nameOf = (value: string) => this.#renamed.get(value) ?? value;
    const graph = this.#writer.done();
    return { ...graph, nodes: graph.nodes.map((node) => renamed(node, nameOf)) };
  }

  #visit(node: Node): void {
    const isRead =
      !node.codes &&
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
  #dynamicOf([codes, scale, zeroPoint = ""]: readonly string[]): CodedValue | undefined {
    const cast = this.#producers.get(zeroPoint);
    const wide = cast?.op === "Cast" ? cast.inputs[0]! : zeroPoint;
    const { op, outputs, attributes } = this.#producers.get(codes!) ?? {};
    if (op !== "DynamicQuantize" || outputs!.join() !== [codes, scale, wide].join()) return undefined;
    const own = { codes: codes!, scale: scale!, zeroPoint: wide, dtype: "u8", range: undefined } as const;
    return attributes!.axis === undefined ? own : { ...own, axis: -1 };
  }

  /** How codes under a constant scale and zero point, one in all, are read. */
  #rangeOf(
    node: Node,
    dtype: DType | undefined,
    types: readonly DType[] = activationTypes,
  ): Reading | undefined {
    const [, scaleName = "", zeroName = ""] = node.inputs;
    const scale = this.#writer.constants.get(scaleName);
    const zero = this.#writer.constants.get(zeroName);
    if (scale?.data.length !== 1 || (zeroName !== "" && zero?.data.length !== 1)) return undefined;
    if (!dtype || !types.includes(dtype)) return undefined;
    const isPlain = zeroName === "" && dtype === "u8";
    const name = zeroName || `${scaleName}_zero_${dtype}`;
    const zeroPoint = isPlain ? "" : this.#writer.constant(name, zero ?? tensor(dtype, [], [0]));
    const range = { scale: scale.data[0]!, zeroPoint: zero?.data[0] ?? 0 };
    return { scale: scaleName, zeroPoint, dtype, range };
  }

  #constantOf(node: Node, codes: string): CodedConstant | undefined {
    const [, scale = "", zeroPoint = ""] = node.inputs;
    const value = this.#writer.constants.get(codes)!;
    const s = this.#writer.constants.get(scale);
    const z = this.#writer.constants.get(zeroPoint);
    if (!s || (zeroPoint !== "" && !z)) return undefined;
    const wanted = numberOf(node, "axis", 1);
    const axis = wanted < 0 ? wanted + value.shape.length : wanted;
    const names = { codes, scale, zeroPoint, axis };
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
    else this.#recode(node, x, own);
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
  #identify(output: string, x: CodedValue): void {
    const isOwn = !this.#inputs.has(x.codes);
    if (!this.#outputs.has(output)) this.#same.set(output, x.codes);
    else if (isOwn && !this.#outputs.has(x.codes) && !this.#renamed.has(x.codes)) {
      this.#renamed.set(x.codes, output);
      this.#same.set(output, x.codes);
    } else this.#carry("Identity", output, x, output);
  }

  /** Codes become those of another scale: a table, made by a Clip that clips nothing. */
  #recode({ name, outputs }: Node, x: CodedValue, made: Reading): void {
    const recode = { op: "Clip", name: this.#writer.fresh(`${name}_recode`), outputs, attributes: {} };
    this.#pushLayer(recode, [x], made);
  }

  /** Writes an integer layer of operands that are codes, or values as they are. */
  #pushLayer(
    node: Omit<Node, "inputs">,
    operands: readonly (NamedCodes | string)[],
    made: Reading | undefined,
    bounds?: { readonly lo: number; readonly hi: number },
  ): void {
    const [result] = node.outputs as [string];
    const isCoded = (operand: NamedCodes | string) => typeof operand !== "string";
    this.#writer.nodes.push({
      ...node,
      inputs: operands.map((operand) => (isCoded(operand) ? operand.codes : operand)),
      codes: {
        inputs: operands.map((operand) => (isCoded(operand) ? codeParameters(operand) : undefined)),
        ...(made && { output: codeParameters({ ...made, codes: result }) }),
        ...(bounds && { bounds }),
      },
    });
    this.#written.add(result);
    if (made) this.#made.add(result);
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

  /** An integer layer of one input whose result has the input's scale and zero point. */
  #carry(op: string, name: string, x: CodedValue, output: string, node?: Node): void {
    if (!node) {
      const carrying = { op, name: this.#writer.fresh(`${name}_${op}`), outputs: [output], attributes: {} };
      return this.#pushLayer(carrying, [x], x);
    }
    const codes = this.#writer.fresh(`${output}_codes`);
    this.#pushLayer({ ...node, outputs: [codes] }, [x], x);
    this.#coded.set(output, { ...x, codes });
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
    this.#write(node, coded as CodedValue[], tail);
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
    // In float, groups are faster than two integer layers of them. Codes of a range found at run time have no float kernel.
    if (rest && x.range && isGrouped(node)) return false;
    const term = rest && zeroPointTerm(node, w, form.axis, rest);
    const isFloat = tail.quantize.length === 0 || !x.range || term !== undefined;
    const scales = isFloat
      ? undefined
      : sumScales(x.range!.scale, w.scale.data as Float32Array, form.outputs);
    if (scales && !this.#canMake(tail, scales)) return false;
    const added = this.#codedBias(own ?? tail.bias, scales);
    if (!fitSums(largestSums(codes, form.axis), added?.codes)) return false;
    if (term && !fitSums(largestSums(term.codes, form.axis))) return false;
    const weights = this.#weightsOf(w, codes);
    const operands = [x, weights, ...(added ? [this.#writeBias(added, node.name)] : [])];
    if (term) this.#writeWithTerm(node, x, operands, tail, term);
    else this.#write(node, operands, isFloat ? { ...tail, quantize: [] } : tail);
    return true;
  }

  /** A layer whose weights have more of a zero point than their codes, and what that adds. */
  #writeWithTerm(
    node: Node,
    x: CodedValue,
    operands: readonly (NamedCodes | string)[],
    tail: Tail,
    term: ZeroPointTerm,
  ): void {
    const result = this.#writer.fresh(`${tail.value}_part`);
    this.#write(node, operands, { ...tail, activation: undefined, quantize: [], value: result, result });
    addZeroPointTerm(this.#writer, node, x, term, result, tail.value);
    this.#written.add(tail.value);
  }

  /** Codes of 8 bits, and those of int32 that have the scale of the layer's sums. */
  #canMake({ quantize: [last], activation }: Tail, scales: Float32Array): boolean {
    const { range, dtype } = this.#rangeOf(last!, this.#types.get(last!.outputs[0]!)!.dtype, resultTypes)!;
    const areSums = range!.zeroPoint === 0 && scales.every((scale) => scale === range!.scale);
    return dtype !== "i32" || (areSums && !activation);
  }

  /** Weights under the codes that kernels take, whose zero points are 0. */
  #weightsOf({ names, codes: own, scale: { data } }: CodedConstant, codes: Tensor): NamedCodes {
    const name = codes === own ? names.codes : this.#writer.constant(`${names.codes}_symmetric`, codes);
    const parameters = { codes: name, scale: names.scale, zeroPoint: "" };
    const isOne = data.length === 1 && codes.shape[names.axis!] !== 1;
    return isOne ? parameters : { ...parameters, axis: names.axis! };
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
    if (own && isInSumScales(own, scales)) return { ...bias, held: own.names.codes, codes: own.codes.data };
    return { ...bias, codes: quantizeBias(bias.values, scales, I32_LIMIT) };
  }

  #writeBias({ name, values, codes, held }: CodedBias, layer: string): NamedCodes | string {
    const row = [values.length];
    if (!codes) return this.#writer.constant(this.#need(name), tensor("f32", row, values), layer);
    const own = held ?? this.#writer.constant(`${name}_codes`, tensor("i32", row, codes), layer);
    return { codes: own, scale: "", zeroPoint: "" };
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
    const activation = next && this.#clampOf(next) ? next : undefined;
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

  #clampOf(node: Node) {
    return node.codes ? undefined : this.#registry[node.op]?.clamp?.(node);
  }

  #soleReader(value: string): Node | undefined {
    const [reader, ...others] = this.#consumers.get(value) ?? [];
    return others.length === 0 && !this.#outputs.has(value) && !reader?.codes ? reader : undefined;
  }

  /** All that reads a value, where that is one QuantizeLinear to these types or some that are the same. */
  #quantizersOf(value: string, types: readonly DType[]): readonly Node[] {
    const readers = this.#consumers.get(value) ?? [];
    if (readers.length === 0 || this.#outputs.has(value)) return [];
    const ranges = readers.map((node) =>
      node.op === "QuantizeLinear"
        ? this.#rangeOf(node, this.#types.get(node.outputs[0]!)!.dtype, types)
        : undefined,
    );
    const [first] = ranges;
    return first && ranges.every((range) => range && sameMeaning(range, first)) ? readers : [];
  }

  /** One integer layer, from the codes it reads to its tail. */
  #write(node: Node, operands: readonly (NamedCodes | string)[], tail: Tail): void {
    const { add, activation, quantize, result } = tail;
    const [last] = quantize;
    for (const next of [add, activation, last]) if (next) this.#taken.add(next);
    const codes = last?.outputs[0];
    const made = last && this.#rangeOf(last, this.#types.get(codes!)!.dtype, resultTypes)!;
    this.#pushLayer(
      { ...node, outputs: [codes ?? result] },
      operands,
      made,
      activation && this.#clampOf(activation),
    );
    if (made) this.#coded.set(result, { ...made, codes: codes! });
  }
}

/** Outputs, and axis of the weights they lie along, of a layer that a kernel over codes can compute. */
function formOf(node: Node, shape: readonly number[]): LayerForm | undefined {
  const form = layerForm(node, shape);
  return typeof form !== "string" && isPlainLayer(node) && sizeOf(shape) > 0 ? form : undefined;
}
