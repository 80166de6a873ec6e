// Reads a model that came quantized: DequantizeLinear… → op [→ bias] [→ Relu | Clip] → QuantizeLinear, as ONNX's QDQ form has
// it, becomes one integer layer with the scales and zero points of the file. Ops that only move codes are taken in without a
// pair around them; codes of constants that no integer layer reads are folded to what they mean.

import { type Graph, type Node, renamed } from "../graph/graph";
import { sumScales } from "../ops/codes";
import type { ToolkitOps } from "../ops/infer";
import { isLayer } from "../ops/linear-layer";
import { numberOf } from "../ops/op";
import { sameShape } from "../ops/reshape";
import { fitSums, kernelCodes, largestSums } from "./coded-constant";
import { codeParameters, GraphWriter, type NamedCodes } from "./graph-writer";
import { QuantizedConstants } from "./quantized-constants";
import {
  type Bias,
  type CodedValue,
  type CodeReading,
  QuantizedGraph,
  sameMeaning,
  type Tail,
} from "./quantized-graph";
import type { Room } from "./room";
import { addZeroPointTerm, isGrouped, type ZeroPointTerm, zeroPointTerm } from "./zero-point-term";

/** The graph with its integer layers; the same object where nothing in it is quantized. */
export function foldQuantization(graph: Graph, registry: ToolkitOps, room?: Room): Graph {
  const isPair = ({ op }: Node) => op === "QuantizeLinear" || op === "DequantizeLinear";
  return graph.nodes.some(isPair) ? new Folding(graph, registry, room).run() : graph;
}

class Folding {
  readonly #graph: Graph;
  readonly #read: QuantizedGraph;
  readonly #inputs: ReadonlySet<string>;
  readonly #writer: GraphWriter;
  /** Real values that codes stand for. */
  readonly #coded = new Map<string, CodedValue>();
  /** Codes that integer layers make. */
  readonly #made = new Set<string>();
  readonly #constants: QuantizedConstants;
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
    this.#inputs = new Set(graph.inputs.map(({ name }) => name));
    this.#writer = new GraphWriter(graph, room);
    this.#read = new QuantizedGraph(graph, registry, this.#writer);
    this.#constants = new QuantizedConstants(this.#read, this.#writer);
    this.#written = new Set([...this.#inputs, ...graph.constants.keys()]);
  }

  run(): Graph {
    for (const node of this.#graph.nodes) if (!this.#taken.has(node)) this.#visit(node);
    for (const output of this.#graph.outputs) this.#need(output);
    // What exists only as codes keeps its name.
    for (const [real, { codes }] of this.#coded)
      if (this.#made.has(codes) && !this.#written.has(real) && !this.#renamed.has(codes))
        if (!this.#read.outputs.has(codes)) this.#renamed.set(codes, real);
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
          : isLayer(node, this.#read.registry)
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
    if (constant) this.#writer.constants.set(name, this.#constants.realsOf(constant));
    else if (this.#coded.has(name))
      this.#writer.dequantize(this.#coded.get(name)!, `${name}_dequantize`, name);
    this.#written.add(name);
    return name;
  }

  #dequantize(node: Node): boolean {
    const [codes, output] = [node.inputs[0]!, node.outputs[0]!];
    if (this.#writer.constants.has(codes)) return this.#constants.take(node);
    const own =
      this.#read.rangeOf(node, this.#read.types.get(codes)?.dtype) ?? this.#read.dynamicOf(node.inputs);
    if (own) this.#coded.set(output, { ...own, codes: this.#same.get(codes) ?? codes });
    return own !== undefined;
  }

  #quantize(node: Node): boolean {
    const [real, output] = [node.inputs[0]!, node.outputs[0]!];
    if (this.#constants.quantize(node, real, output)) {
      this.#written.add(output);
      return true;
    }
    const own = this.#read.rangeOf(node, this.#read.types.get(output)!.dtype);
    const x = this.#coded.get(real);
    if (!own || !x?.range) return false;
    if (sameMeaning(own, x)) this.#identify(output, x);
    else this.#recode(node, x, own);
    return true;
  }

  /** `output` is other codes under another name. */
  #identify(output: string, x: CodedValue): void {
    const isOwn = !this.#inputs.has(x.codes);
    if (!this.#read.outputs.has(output)) this.#same.set(output, x.codes);
    else if (isOwn && !this.#read.outputs.has(x.codes) && !this.#renamed.has(x.codes)) {
      this.#renamed.set(x.codes, output);
      this.#same.set(output, x.codes);
    } else this.#carry("Identity", output, x, output);
  }

  /** Codes become those of another scale: a table, made by a Clip that clips nothing. */
  #recode({ name, outputs }: Node, x: CodedValue, made: CodeReading): void {
    const recode = { op: "Clip", name: this.#writer.fresh(`${name}_recode`), outputs, attributes: {} };
    this.#pushLayer(recode, [x], made);
  }

  /** Writes an integer layer of operands that are codes, or values as they are. */
  #pushLayer(
    node: Omit<Node, "inputs">,
    operands: readonly (NamedCodes | string)[],
    made: CodeReading | undefined,
    bounds?: { readonly lo: number; readonly hi: number },
  ): void {
    const [result] = node.outputs as [string];
    const isCoded = (operand: NamedCodes | string) => typeof operand !== "string";
    this.#writer.nodes.push({
      ...node,
      inputs: operands.map((operand) => (isCoded(operand) ? operand.codes : operand)),
      codes: {
        inputs: operands.map((operand) => (isCoded(operand) ? codeParameters(operand) : undefined)),
        ...(made && { output: codeParameters(made) }),
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
    if (constant) return this.#constants.move(node, constant);
    const x = this.#coded.get(input);
    if (!x?.range || !this.#read.registry[node.op]?.lowerInteger) return false;
    this.#carry(node.op, node.name, x, output, node);
    return true;
  }

  #passesCodes(node: Node): boolean {
    const codes = this.#read.registry[node.op]?.codes;
    return codes === "moves" || (codes === "pads" && numberOf(node, "value", 0) === 0);
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
    const codes = this.#read.registry[op]?.codes;
    const count = { sum: 2, join: inputs.length, table: 1, mean: 1 }[codes as string] ?? 0;
    const coded = inputs.map((input) => this.#coded.get(input));
    if (count === 0 || count !== inputs.length || !this.#read.registry[op]?.lowerInteger) return false;
    if (!coded.every((x) => x?.range !== undefined)) return false;
    const shapes = inputs.map((input) => this.#read.types.get(input)!.shape);
    if (codes === "sum" && !sameShape(shapes[0]!, shapes[1]!)) return false;
    const tail = this.#read.tailOf(node);
    if (tail.quantize.length === 0) return false;
    this.#write(node, coded as CodedValue[], tail);
    return true;
  }

  /** Sums of products with constant weights. */
  #layer(node: Node): boolean {
    const [input = "", weight = "", bias] = node.inputs;
    const [x, w] = [this.#coded.get(input), this.#constants.get(weight)];
    if (!x || !w || w.codes.data.length === 0) return false;
    const outputs = w.codes.shape[0]!;
    this.#writer.need(w.codes, weight);
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
    const need = (value: string) => this.#need(value);
    const operands = [
      x,
      this.#constants.weightsOf(w, codes),
      ...(added ? [this.#constants.operandOf(added, node.name, need)] : []),
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
    const result = this.#writer.fresh(`${tail.value}_part`);
    this.#write(node, operands, { ...tail, activation: undefined, quantize: [], value: result, result });
    addZeroPointTerm(this.#writer, node, x, term, result, tail.value);
    this.#written.add(tail.value);
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
    this.#pushLayer(
      { ...node, outputs: [codes ?? result] },
      operands,
      made,
      activation && this.#read.clampOf(activation),
    );
    if (made) this.#coded.set(result, { ...made, codes: codes! });
  }
}
