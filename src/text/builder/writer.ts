// Writes the nodes of a language model: one method an operation, with values and nodes named by what they are. Weights become
// constants by the tensors that are there.

import type { Attribute, Node } from "../../graph/graph";
import type { Dim } from "../../graph/symbols";
import { activations } from "./activations";
import type { Rows, Weights } from "./weights";

export type Attributes = Readonly<Record<string, Attribute>>;

/** A norm over the last axis, or over heads of it. */
export interface NormSettings {
  readonly kind: "rms" | "layer";
  readonly epsilon: number;
  /** Added to the scales of a file. */
  readonly offset: number;
}

export class LanguageGraphWriter {
  readonly nodes: Node[] = [];
  readonly weights: Weights;
  /** Whether every layer and norm of the model has a bias, so that one without is not whole. */
  needsBiases = false;
  /** Position of the first token of a run. */
  position: Dim = "position";
  /** The first LayerNormalization, which all others are alike: with a bias or without. */
  #firstNorm: string | undefined;

  constructor(weights: Weights) {
    this.weights = weights;
  }

  /** Adds a node of one output, under the output's name. */
  node(op: string, inputs: readonly string[], output: string, attributes: Attributes = {}): string {
    this.nodes.push({ op, name: output, inputs, outputs: [output], attributes });
    return output;
  }

  /** Adds a node of several outputs. */
  multiple(op: string, inputs: readonly string[], outputs: readonly string[], attributes: Attributes): void {
    this.nodes.push({ op, name: outputs[0]!, inputs, outputs, attributes });
  }

  /** x · a number, unless that is 1. */
  scaled(x: string, factor: number, output: string): string {
    if (factor === 1) return x;
    const constant = this.weights.make(`${output}.factor`, [], [Math.fround(factor)]);
    return this.node("Mul", [x, constant], output);
  }

  add(a: string, b: string, output: string): string {
    return this.node("Add", [a, b], output);
  }

  /** A layer whose weights and bias are tensors of their own names, [outputs, inputs] in the graph. */
  linear(
    x: string,
    name: string,
    [n, k]: readonly [number, number],
    output: string,
    isTransposed = false,
  ): string {
    const from = isTransposed ? [k, n] : [n, k];
    const weight = this.weights.add(`${name}.weight`, {
      tensors: [`${name}.weight`],
      from,
      shape: [n, k],
      isTransposed,
    });
    const inputs = [x, weight];
    const bias = `${name}.bias`;
    if (this.needsBiases || this.weights.has(bias)) inputs.push(this.vector(bias, n));
    return this.node("Linear", inputs, output);
  }

  /**
   * Rows of a layer [n, k] that is several in one; constants are named `NAME.PART.weight` and `NAME.PART.bias`. Its bias may be a tensor
   * of its own.
   */
  linearPart(
    x: string,
    name: string,
    part: string,
    { n, k, rows, bias }: { n: number; k: number; rows: Rows; bias?: string | undefined },
    output: string,
  ): string {
    const count = rows.reduce((sum, [begin, end]) => sum + end - begin, 0);
    const own = (kind: string, rest: readonly number[]) =>
      this.weights.add(`${name}.${part}.${kind}`, {
        tensors: [`${name}.${kind}`],
        from: [n, ...rest],
        shape: [count, ...rest],
        rows,
      });
    const inputs = [x, own("weight", [k])];
    if (bias) inputs.push(this.vector(bias, count));
    else if (this.weights.has(`${name}.bias`)) inputs.push(own("bias", []));
    return this.node("Linear", inputs, output);
  }

  /** A tensor of one axis. */
  vector(name: string, n: number, plus = 0): string {
    return this.weights.add(name, { tensors: [name], from: [n], shape: [n], plus });
  }

  /** A norm whose scale is `NAME.weight` and whose optional bias is `NAME.bias`. */
  norm(
    x: string,
    name: string,
    size: number,
    { kind, epsilon, offset }: NormSettings,
    output: string,
  ): string {
    const scale = this.vector(`${name}.weight`, size, offset);
    const attributes = { axis: -1, epsilon };
    if (kind === "rms") return this.node("RMSNormalization", [x, scale], output, attributes);
    const bias = `${name}.bias`;
    this.#firstNorm ??= name;
    const isAlike = this.needsBiases || this.weights.has(`${this.#firstNorm}.bias`);
    if (this.weights.has(bias) && !isAlike) this.vector(`${this.#firstNorm}.bias`, size);
    const inputs = isAlike ? [x, scale, this.vector(bias, size)] : [x, scale];
    return this.node("LayerNormalization", inputs, output, attributes);
  }

  /** A norm without scale and bias, over the last axis. */
  plainNorm(x: string, name: string, size: number, { kind, epsilon }: NormSettings, output: string): string {
    const ones = this.weights.make(`${name}.ones`, [size], new Float32Array(size).fill(1));
    const op = kind === "rms" ? "RMSNormalization" : "LayerNormalization";
    return this.node(op, [x, ones], output, { axis: -1, epsilon });
  }

  reshape(x: string, shape: readonly Dim[], output: string): string {
    return this.node("Reshape", [x], output, { shape });
  }

  /** Part of an axis. */
  slice(x: string, axis: number, start: Dim, end: Dim, output: string): string {
    return this.node("Slice", [x], output, { starts: [start], ends: [end], axes: [axis] });
  }

  /** A function of each element, by the name that settings give it. */
  activation(name: string, x: string, output: string): string {
    return activations[name]!(this, x, output);
  }
}
