// A graph that came quantized, as ONNX's QDQ form writes it: what its nodes say of codes, and what follows an op that can be an
// integer layer. Nothing of the graph is changed here.

import { type CodeParameters, type Graph, type Node, producersOf } from "../../graph/graph";
import { type DType, tensor } from "../../graph/tensor";
import type { ToolkitOps } from "../../ops/infer";
import { biasPlace } from "../../ops/linear-layer";
import { numberOf } from "../../ops/op";
import type { GraphWriter, NamedCodes } from "../../rewrite/graph-writer";
import { IntegerForms } from "../../rewrite/integer-forms";
import { type CodedConstant, isComplete } from "./coded-constant";

/** How codes of a computed value are read. */
export interface CodeReading extends CodeParameters {
  readonly dtype: DType;
  /** Undefined where scale and zero point are found at run time. */
  readonly range: { readonly scale: number; readonly zeroPoint: number } | undefined;
}

/** Codes of a computed value. */
export type CodedValue = CodeReading & NamedCodes;

export const sameMeaning = (a: CodeReading, b: CodeReading) =>
  a.dtype === b.dtype &&
  a.range !== undefined &&
  a.range.scale === b.range?.scale &&
  a.range.zeroPoint === b.range.zeroPoint;

/** A constant that is added, one number a channel. */
export interface Bias {
  readonly name: string;
  readonly values: ArrayLike<number>;
}

/** The bias that a value is: one number a channel, these counted from the right. */
export type BiasOf = (name: string, channels: number, fromRight: number) => Bias | undefined;

/** What follows an op in its integer layer. */
export interface Tail {
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

export class QuantizedGraph extends IntegerForms {
  readonly #producers: ReadonlyMap<string, Node>;
  /** Holds the constants, and zero points that files leave out. */
  readonly #writer: GraphWriter;

  constructor(graph: Graph, ops: ToolkitOps, writer: GraphWriter) {
    super(graph, ops);
    this.#producers = producersOf(graph);
    this.#writer = writer;
  }

  /** The DynamicQuantize whose codes these are, with its own scale and zero point. */
  dynamicOf([codes, scale, zeroPoint = ""]: readonly string[]): CodedValue | undefined {
    const cast = this.#producers.get(zeroPoint);
    const wide = cast?.op === "Cast" ? cast.inputs[0]! : zeroPoint;
    const { op, outputs, attributes } = this.#producers.get(codes!) ?? {};
    if (op !== "DynamicQuantize" || outputs!.join() !== [codes, scale, wide].join()) return undefined;
    const own = { codes: codes!, scale: scale!, zeroPoint: wide, dtype: "u8", range: undefined } as const;
    return attributes!.axis === undefined ? own : { ...own, axis: -1 };
  }

  /** How codes under a constant scale and zero point, one in all, are read. */
  rangeOf(
    node: Node,
    dtype: DType | undefined,
    types: readonly DType[] = activationTypes,
  ): CodeReading | undefined {
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

  /** How the codes that a QuantizeLinear makes are read. */
  madeBy(quantize: Node, types = resultTypes): CodeReading | undefined {
    return this.rangeOf(quantize, this.types.get(quantize.outputs[0]!)!.dtype, types);
  }

  /** The constant that a DequantizeLinear reads, with its scales and zero points; undefined where one is computed or missing. */
  constantOf(node: Node, codes: string): CodedConstant | undefined {
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

  /** What follows an op in its integer layer; of a layer of so many outputs, with the constant that is added to it. */
  tailOf(node: Node, biasOf?: BiasOf, channels?: number): Tail {
    let value = node.outputs[0]!;
    let bias: Bias | undefined;
    const add = channels !== undefined && !node.inputs[2] ? this.soleReader(value) : undefined;
    if (add && this.ops[add.op]?.codes === "sum" && channels !== undefined) {
      const shapeOf = (name: string) => this.types.get(name)!.shape;
      const other = add.inputs[add.inputs[0] === value ? 1 : 0]!;
      const place = biasPlace(node, shapeOf(value), shapeOf(add.outputs[0]!), this.ops);
      if (place !== undefined) bias = biasOf!(other, channels, place);
      if (bias) value = add.outputs[0]!;
    }
    const activation = this.activationAfter(node, value);
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

  /** All that reads a value, where that is one QuantizeLinear to these types or some that are the same. */
  #quantizersOf(value: string, types: readonly DType[]): readonly Node[] {
    const readers = this.readersOf(value);
    if (readers.length === 0 || this.outputs.has(value)) return [];
    const ranges = readers.map((node) =>
      node.op === "QuantizeLinear" ? this.madeBy(node, types) : undefined,
    );
    const [first] = ranges;
    return first && ranges.every((range) => range && sameMeaning(range, first)) ? readers : [];
  }
}
