// Reads a model that came quantized: DequantizeLinear… → op [→ bias] [→ Relu | Clip] → QuantizeLinear, as ONNX's QDQ form has
// it, becomes one integer layer with the scales and zero points of the file. Ops that only move codes are taken in without a
// pair around them; codes of constants that no integer layer reads are folded to what they mean.

import type { Graph, Node } from "../../graph/graph";
import { sumScales } from "../../ops/codes";
import type { ToolkitOps } from "../../ops/infer";
import { isLayer } from "../../ops/linear-layer";
import type { NamedCodes } from "../../rewrite/graph-writer";
import { IntegerWriter } from "../../rewrite/integer-writer";
import type { Room } from "../../rewrite/room";
import { fitSums, kernelCodes, largestSums } from "./coded-constant";
import { QuantizedConstants } from "./quantized-constants";
import {
  type Bias,
  type CodedValue,
  type CodeReading,
  QuantizedGraph,
  sameMeaning,
  type Tail,
} from "./quantized-graph";
import { addZeroPointTerm, isGrouped, type ZeroPointTerm, zeroPointTerm } from "./zero-point-term";

/** The graph with its integer layers; the same object where nothing in it is quantized. */
export function foldQuantization(graph: Graph, ops: ToolkitOps, room?: Room): Graph {
  const isPair = ({ op }: Node) => op === "QuantizeLinear" || op === "DequantizeLinear";
  return graph.nodes.some(isPair) ? new Folding(graph, ops, room).run() : graph;
}

class Folding extends IntegerWriter<CodedValue> {
  readonly #graph: Graph;
  readonly #read: QuantizedGraph;
  readonly #inputs: ReadonlySet<string>;
  readonly #constants: QuantizedConstants;
  /** Codes that are other codes of the new graph. */
  readonly #same = new Map<string, string>();
  /** Nodes that are part of the integer layer of an earlier one. */
  readonly #taken = new Set<Node>();

  constructor(graph: Graph, ops: ToolkitOps, room: Room | undefined) {
    super(graph, room);
    this.#graph = graph;
    this.#inputs = new Set(graph.inputs.map(({ name }) => name));
    this.#read = new QuantizedGraph(graph, ops, this);
    this.#constants = new QuantizedConstants(this.#read, this);
  }

  run(): Graph {
    for (const node of this.#graph.nodes) if (!this.#taken.has(node) && !this.#fold(node)) this.keep(node);
    for (const output of this.#graph.outputs) this.bring(output);
    return this.done();
  }

  /** Whether a node, and what goes with it, is written as something else. */
  #fold(node: Node): boolean {
    if (node.codes) return false;
    if (node.op === "DequantizeLinear") return this.#dequantize(node);
    if (node.op === "QuantizeLinear") return this.#quantize(node);
    const constant = node.inputs.length === 1 && this.#constants.get(node.inputs[0]!);
    return constant ? this.#constants.move(node, constant) : this.#integer(node);
  }

  override bring(value: string): string {
    const name = this.#same.get(value) ?? value;
    const constant = this.written.has(name) ? undefined : this.#constants.get(name);
    if (!constant) return super.bring(name);
    this.constants.set(name, this.#constants.realsOf(constant));
    this.written.add(name);
    return name;
  }

  #dequantize(node: Node): boolean {
    const [codes, output] = [node.inputs[0]!, node.outputs[0]!];
    if (this.constants.has(codes)) return this.#constants.take(node);
    const own =
      this.#read.rangeOf(node, this.#read.types.get(codes)?.dtype) ?? this.#read.dynamicOf(node.inputs);
    if (own) this.coded.set(output, { ...own, codes: this.#same.get(codes) ?? codes });
    return own !== undefined;
  }

  #quantize(node: Node): boolean {
    const [real, output] = [node.inputs[0]!, node.outputs[0]!];
    if (this.#constants.quantize(node, real, output)) {
      this.written.add(output);
      return true;
    }
    const own = this.#read.rangeOf(node, this.#read.types.get(output)!.dtype);
    const x = this.coded.get(real);
    if (!own || !x?.range) return false;
    if (sameMeaning(own, x)) this.#identify(output, x);
    else this.#recode(node, x, own);
    return true;
  }

  /** `output` is other codes under another name. */
  #identify(output: string, x: CodedValue): void {
    const isOwn = !this.#inputs.has(x.codes);
    if (!this.#read.outputs.has(output)) this.#same.set(output, x.codes);
    else if (isOwn && !this.#read.outputs.has(x.codes) && !this.renamed.has(x.codes)) {
      this.renamed.set(x.codes, output);
      this.#same.set(output, x.codes);
    } else {
      const name = this.fresh(`${output}_Identity`);
      this.layer({ op: "Identity", name, outputs: [output], attributes: {} }, [x], x);
    }
  }

  /** Codes become those of another scale: a table, made by a Clip that clips nothing. */
  #recode({ name, outputs }: Node, x: CodedValue, made: CodeReading): void {
    this.layer({ op: "Clip", name: this.fresh(`${name}_recode`), outputs, attributes: {} }, [x], made);
  }

  /** An op whose operands are codes: what moves them needs no codes of the result. */
  #integer(node: Node): boolean {
    const activations = this.#read.activationsOf(node);
    if (typeof activations === "string") return false;
    const operands = activations.map((i) => this.coded.get(node.inputs[i]!));
    if (!operands.every((x) => x !== undefined)) return false;
    const [x] = operands as [CodedValue];
    if (isLayer(node, this.#read.ops)) return this.#layer(node, x);
    if (this.#read.ops[node.op]?.codes === "recurrence") return this.#recurrence(node, x);
    if (!operands.every(({ range }) => range)) return false;
    if (this.#read.keepsCodes(node)) {
      const [output] = node.outputs as [string];
      const codes = this.fresh(`${output}_codes`);
      this.layer({ ...node, outputs: [codes] }, [x], x);
      this.coded.set(output, { ...x, codes });
      return true;
    }
    const tail = this.#read.tailOf(node);
    if (tail.quantize.length === 0) return false;
    this.#write(node, operands, tail);
    return true;
  }

  /** Products with weights of several inputs, whose rows have a scale each. */
  #recurrence(node: Node, x: CodedValue): boolean {
    const { weights = [] } = this.#read.ops[node.op]!;
    const held = new Map(weights.map((i) => [i, this.#constants.rowsOf(node.inputs[i]!)] as const));
    if ([...held.values()].includes(undefined)) return false;
    const operands = node.inputs.map((value, i) => (i === 0 ? x : (held.get(i) ?? this.bring(value))));
    this.layer(node, operands, undefined);
    return true;
  }

  /** Sums of products with constant weights. */
  #layer(node: Node, x: CodedValue): boolean {
    const [, weight = "", bias] = node.inputs;
    const w = this.#constants.get(weight);
    if (!w || w.codes.data.length === 0) return false;
    const outputs = w.codes.shape[0]!;
    this.need(w.codes, weight);
    const kernel = kernelCodes(w);
    const tail = this.#read.tailOf(node, (...bias) => this.#constants.biasOf(...bias), outputs);
    const own = bias ? this.#constants.biasOf(bias, outputs, 1) : undefined;
    if (!kernel || (bias && !own)) return false;
    const { codes, rest } = kernel;
    // In float, groups are faster than two integer layers of them. Codes of a range found at run time have no float kernel.
    if (rest && x.range && isGrouped(node)) return false;
    const term = rest && zeroPointTerm(node, w, rest);
    const constant = own ?? tail.bias;
    const isFloat = tail.quantize.length === 0 || !x.range || term !== undefined;
    const units = isFloat ? undefined : sumScales(x.range!.scale, w.scale.data as Float32Array, outputs);
    if (units && !this.#canMake(tail, units)) return false;
    const scales = units && this.#holds(units, constant, tail) ? units : undefined;
    const added = this.#constants.inSumUnits(constant, scales);
    if (!fitSums(largestSums(codes), added?.codes)) return false;
    if (term && !fitSums(largestSums(term.codes))) return false;
    const operands = [
      x,
      this.#constants.weightsOf(w, codes),
      ...(added ? [this.#constants.operandOf(added, node.name, (value) => this.bring(value))] : []),
    ];
    if (term) this.#writeWithTerm(node, x, operands, tail, term);
    else this.#write(node, operands, scales ? tail : { ...tail, quantize: [] });
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
    const result = this.fresh(`${tail.value}_part`);
    this.#write(node, operands, { ...tail, activation: undefined, quantize: [], value: result, result });
    addZeroPointTerm(this, node, x, term, result, tail.value);
    this.written.add(tail.value);
  }

  /** Whether a bias in units of the sums is off by half a step of the result at most: else the result is float. */
  #holds(units: Float32Array, bias: Bias | undefined, { quantize: [last] }: Tail): boolean {
    const added = this.#constants.inSumUnits(bias, units);
    if (!added?.codes || added.held !== undefined) return true;
    const { range } = this.#read.madeBy(last!)!;
    return units.every((unit, c) => Math.abs(added.codes![c]! * unit - added.values[c]!) <= range!.scale / 2);
  }

  /** Codes of 8 bits, and those of int32 that have the scale of the layer's sums. */
  #canMake({ quantize: [last], activation }: Tail, scales: Float32Array): boolean {
    const { range, dtype } = this.#read.madeBy(last!)!;
    const areSums = range!.zeroPoint === 0 && scales.every((scale) => scale === range!.scale);
    return dtype !== "i32" || (areSums && !activation);
  }

  /** One integer layer, from the codes it reads to its tail. */
  #write(node: Node, operands: readonly (NamedCodes | string)[], tail: Tail): void {
    const { add, activation, quantize, result } = tail;
    const [last] = quantize;
    for (const next of [add, activation, last]) if (next) this.#taken.add(next);
    const codes = last?.outputs[0];
    const made = last && this.#read.madeBy(last)!;
    this.layer(
      { ...node, outputs: [codes ?? result] },
      operands,
      made,
      activation && this.#read.boundsOf(activation),
    );
    if (made) this.coded.set(result, { ...made, codes: codes! });
  }
}
