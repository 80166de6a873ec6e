// Constants that came as codes, while a quantized file is read: by the real value that they stand for.

import type { Node } from "../../graph/graph";
import { type Tensor, tensor } from "../../graph/tensor";
import { perChannel } from "../../ops/linear-layer";
import { quantizeBias } from "../../ops/scheme";
import type { GraphWriter, NamedCodes } from "../../rewrite/graph-writer";
import { type CodedConstant, codesOf, I32_LIMIT, isInSumScales, realsOf } from "./coded-constant";
import type { Bias, QuantizedGraph } from "./quantized-graph";

/** A bias as a layer adds it. */
export interface CodedBias extends Bias {
  /** In units of the layer's sums, where these become codes. */
  readonly codes?: ArrayLike<number>;
  /** The constant of the file that holds the codes. */
  readonly held?: string;
}

export class QuantizedConstants {
  readonly #read: QuantizedGraph;
  readonly #writer: GraphWriter;
  readonly #held = new Map<string, CodedConstant>();

  constructor(read: QuantizedGraph, writer: GraphWriter) {
    this.#read = read;
    this.#writer = writer;
  }

  get(real: string): CodedConstant | undefined {
    return this.#held.get(real);
  }

  /** Takes the constant that a DequantizeLinear reads; whether it could. */
  take(node: Node): boolean {
    const constant = this.#read.constantOf(node, node.inputs[0]!);
    if (constant) this.#held.set(node.outputs[0]!, constant);
    return constant !== undefined;
  }

  /** What a constant's codes stand for. */
  realsOf(constant: CodedConstant): Tensor {
    const reals = realsOf(constant);
    this.#writer.need(reals, constant.names.codes);
    return reals;
  }

  /** Codes of a constant are a constant. */
  quantize(node: Node, real: string, output: string): boolean {
    const coded = this.#held.get(real);
    const plain = this.#writer.constants.get(real);
    const { dtype } = this.#read.types.get(output)!;
    if ((dtype !== "u8" && dtype !== "i8") || this.#read.outputs.has(output)) return false;
    const value = coded ? this.realsOf(coded) : plain;
    if (value?.dtype !== "f32") return false;
    this.#writer.need(value, real);
    this.#writer.constants.set(output, value);
    const parameters = this.#read.constantOf(node, output);
    if (parameters) this.#writer.constants.set(output, codesOf(value, dtype, parameters));
    else this.#writer.constants.delete(output);
    return parameters !== undefined;
  }

  /** Moves the elements of a constant once, and with them its scales. */
  move(node: Node, constant: CodedConstant): boolean {
    const { codes, scale, zeroPoint, axis, blockSize, names } = constant;
    const op = this.#read.ops[node.op];
    const turned = blockSize === 0 ? op?.turned?.(node, axis, codes.shape.length) : undefined;
    const to = turned ?? (scale.data.length === 1 ? { axis, repeats: 1 } : undefined);
    const moved = op?.codes === "moves" && to ? op.evaluate?.(node, [codes], [codes])?.[0] : undefined;
    if (!to || !moved) return false;
    const own = { ...names, codes: this.#writer.constant(`${node.outputs[0]}_codes`, moved as Tensor) };
    const repeat = (name: string, { dtype, data }: Tensor) => {
      if (to.repeats === 1 || data.length === 1) return name;
      const all = Array.from({ length: to.repeats * data.length }, (_, i) => data[i % data.length]!);
      return this.#writer.constant(`${name}_repeated`, tensor(dtype, [all.length], all));
    };
    const scaleName = repeat(names.scale, scale);
    const zeroName = zeroPoint ? repeat(names.zeroPoint, zeroPoint) : names.zeroPoint;
    this.#held.set(node.outputs[0]!, {
      ...constant,
      codes: moved as Tensor,
      scale: this.#writer.constants.get(scaleName)!,
      zeroPoint: zeroPoint && this.#writer.constants.get(zeroName)!,
      axis: to.axis,
      names: { ...own, scale: scaleName, zeroPoint: zeroName, axis: to.axis },
    });
    return true;
  }

  /** Weights under the codes that kernels take, whose zero points are 0. */
  weightsOf({ names, codes: own, scale: { data } }: CodedConstant, codes: Tensor): NamedCodes {
    const name = codes === own ? names.codes : this.#writer.constant(`${names.codes}_symmetric`, codes);
    const parameters = { codes: name, scale: names.scale, zeroPoint: "" };
    const isOne = data.length === 1 && codes.shape[names.axis!] !== 1;
    return isOne ? parameters : { ...parameters, axis: names.axis! };
  }

  /** Weights [..., k] of symmetric codes, where every row has one scale, or all have; undefined of others. */
  rowsOf(real: string): NamedCodes | undefined {
    const held = this.#held.get(real);
    const { codes, scale, zeroPoint, axis, blockSize, names } = held ?? {};
    if (codes?.dtype !== "i8" || !scale!.data.every((s) => s > 0 && s < Infinity)) return undefined;
    if (zeroPoint?.data.some((z) => z !== 0)) return undefined;
    const [last, k] = [codes.shape.length - 1, codes.shape.at(-1)!];
    const parameters = { codes: names!.codes, scale: names!.scale, zeroPoint: "" };
    if (scale!.data.length === 1) return parameters;
    if (axis !== last || blockSize! < k || k === 0) return undefined;
    const each = tensor("f32", [scale!.data.length], scale!.data);
    return { ...parameters, scale: this.#writer.constant(`${names!.codes}_scale`, each), axis: -1 };
  }

  /** A constant that is added to every channel, counted from the right. */
  biasOf(name: string, channels: number, fromRight: number): Bias | undefined {
    const coded = this.#held.get(name);
    if (coded && coded.codes.data.length !== 1 && coded.codes.data.length !== channels) return undefined;
    const real = coded ? realsOf(coded) : this.#writer.constants.get(name);
    const values = real?.dtype === "f32" ? perChannel(real, channels, fromRight) : undefined;
    return values && { name, values };
  }

  /** A bias in the units of a layer's sums, where these become codes. */
  inSumUnits(bias: Bias | undefined, scales: Float32Array | undefined): CodedBias | undefined {
    if (!bias || !scales) return bias;
    const own = this.#held.get(bias.name);
    if (own && isInSumScales(own, scales)) return { ...bias, held: own.names.codes, codes: own.codes.data };
    return { ...bias, codes: quantizeBias(bias.values, scales, I32_LIMIT) };
  }

  /** The operand that a bias is: codes, or the constant of a float one, which `need` names. */
  operandOf(
    { name, values, codes, held }: CodedBias,
    layer: string,
    need: (value: string) => string,
  ): NamedCodes | string {
    const row = [values.length];
    if (!codes) return this.#writer.constant(need(name), tensor("f32", row, values), layer);
    const own = held ?? this.#writer.constant(`${name}_codes`, tensor("i32", row, codes), layer);
    return { codes: own, scale: "", zeroPoint: "" };
  }
}
