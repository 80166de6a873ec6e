// Builds graphs for tests node by node: random weights and ranges from a seed, codes and integer layers.

import type { Attribute, Graph, Input, Node } from "../src/graph/graph";
import { Random } from "../src/graph/random";
import type { Shape } from "../src/graph/symbols";
import { type DType, sizeOf, type Tensor, tensor } from "../src/graph/tensor";

export type CodeType = "u8" | "i8";

/** How a quantized value's codes mean reals. */
export interface Range {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly dtype: CodeType;
}

/** Codes in a graph: the names of their value and parameters. `axis` where there is one scale an index of it. */
export interface Coded {
  readonly codes: string;
  readonly scale: string;
  readonly zeroPoint?: string;
  readonly axis?: number;
  readonly range?: Range;
  /** Every scale, of weights. */
  readonly scales?: Float32Array;
}

export type Activation = "Relu" | "Clip";
export type Attributes = Readonly<Record<string, Attribute>>;

const parametersOf = ({ scale, zeroPoint = "", axis }: Coded) =>
  axis === undefined ? { scale, zeroPoint } : { scale, zeroPoint, axis };

/** Random numbers of a seed. */
export function randomOf(seed: number) {
  const random = new Random(seed);
  return {
    /** A whole number 0 … n − 1. */
    below: (n: number) => random.below(n),
    between: (lo: number, hi: number) => lo + (hi - lo) * random.uniform(),
  };
}

/** Builds a graph node by node; values are named by the caller, the codes of `v` are `v_codes`. */
export class GraphBuilder {
  readonly random;
  private readonly inputs: Input[] = [];
  protected readonly nodes: Node[] = [];
  private readonly constants = new Map<string, Tensor>();

  constructor(seed = 1) {
    this.random = randomOf(seed);
  }

  input(name: string, shape: Shape, dtype: DType = "f32"): string {
    this.inputs.push({ name, dtype, shape });
    return name;
  }

  constant(name: string, value: Tensor): string {
    this.constants.set(name, value);
    return name;
  }

  /** A float constant, uniform in ±bound. */
  floats(name: string, shape: readonly number[], bound: number): string {
    const { between } = this.random;
    return this.constant(
      name,
      tensor(
        "f32",
        shape,
        Array.from({ length: sizeOf(shape) }, () => between(-bound, bound)),
      ),
    );
  }

  node(op: string, inputs: readonly string[], output: string, attributes: Attributes = {}): string {
    this.nodes.push({ op, name: `${op}_${output}`, inputs, outputs: [output], attributes });
    return output;
  }

  /** A node of several outputs. */
  multiple(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Attributes = {},
  ): void {
    this.nodes.push({ op, name: `${op}_${outputs[0]}`, inputs, outputs, attributes });
  }

  /** A range with an uneven scale and any zero point. */
  range(dtype: CodeType = "u8"): Range {
    const { below, between } = this.random;
    const zeroPoint = below(256) - (dtype === "i8" ? 128 : 0);
    return { scale: Math.fround(between(0.004, 0.04)), zeroPoint, dtype };
  }

  private declare(value: string, range: Range): Coded {
    const scale = this.constant(`${value}_scale`, tensor("f32", [], [range.scale]));
    const zeroPoint = this.constant(`${value}_zero_point`, tensor(range.dtype, [], [range.zeroPoint]));
    return { codes: `${value}_codes`, scale, zeroPoint, range };
  }

  quantize(value: string, range = this.range()): Coded {
    const coded = this.declare(value, range);
    this.node("QuantizeLinear", [value, coded.scale, coded.zeroPoint!], coded.codes);
    return coded;
  }

  /** One scale and zero point a row, found when the model runs. */
  quantizeDynamically(value: string): Coded {
    const coded = {
      codes: `${value}_codes`,
      scale: `${value}_scale`,
      zeroPoint: `${value}_zero_point`,
      axis: -1,
    };
    const outputs = [coded.codes, coded.scale, coded.zeroPoint];
    this.nodes.push({
      op: "DynamicQuantize",
      name: `quantize_${value}`,
      inputs: [value],
      outputs,
      attributes: { axis: -1 },
    });
    return coded;
  }

  dequantize({ codes, scale, zeroPoint, axis }: Coded, output: string): string {
    const inputs = zeroPoint === undefined ? [codes, scale] : [codes, scale, zeroPoint];
    return this.node("DequantizeLinear", inputs, output, axis === undefined ? {} : { axis });
  }

  /** Weight codes −127..127, one scale an index of `axis`; −128 and 127 only where `extreme`. */
  weights(name: string, shape: readonly number[], axis: number, extreme = false): Coded {
    const { below, between } = this.random;
    const code = () => (extreme ? 255 * below(2) - 128 : below(255) - 127);
    const scales = Float32Array.from({ length: shape[axis]! }, () => between(0.002, 0.01));
    this.constant(`${name}_codes`, tensor("i8", shape, Array.from({ length: sizeOf(shape) }, code)));
    this.constant(`${name}_scale`, tensor("f32", [scales.length], scales));
    this.constant(`${name}_zero_point`, tensor("i8", [scales.length], []));
    return { codes: `${name}_codes`, scale: `${name}_scale`, zeroPoint: `${name}_zero_point`, axis, scales };
  }

  /** Bias codes i32, in units of the layer's sums, about as large as those of k products. */
  bias(name: string, w: Coded, k: number): Coded {
    const bound = Math.ceil(5000 * Math.sqrt(k));
    const codes = Int32Array.from(w.scales!, () => this.random.below(2 * bound + 1) - bound);
    this.constant(`${name}_codes`, tensor("i32", [codes.length], codes));
    return { codes: `${name}_codes`, scale: "", axis: 0 };
  }

  /** An integer layer, its result `output`: codes in `range`, or floats where there is none. */
  layer(
    op: string,
    inputs: readonly (Coded | string)[],
    output: string,
    options: { attributes?: Attributes; activation?: Activation | undefined; range?: Range | undefined } = {},
  ): Coded {
    const { attributes = {}, activation, range } = options;
    const made = range ? this.declare(output, range) : { codes: output, scale: "" };
    // A Clip whose upper bound is inside the range.
    const clip = { lo: 0, hi: range ? Math.fround(range.scale * 100) : 1 };
    const bounds = activation === "Relu" ? { lo: 0, hi: Infinity } : clip;
    this.nodes.push({
      op,
      name: `${op}_${output}`,
      inputs: inputs.map((input) => (typeof input === "string" ? input : input.codes)),
      outputs: [made.codes],
      attributes,
      codes: {
        inputs: inputs.map((input) => (typeof input === "string" ? undefined : parametersOf(input))),
        ...(range && { output: parametersOf(made) }),
        ...(activation && { bounds }),
      },
    });
    return made;
  }

  build(...outputs: readonly string[]): Graph {
    const { inputs, nodes, constants } = this;
    return { name: "check", inputs, outputs, nodes, constants, provenance: {} };
  }
}
