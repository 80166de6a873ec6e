// One operator of a TensorFlow Lite file as a conversion sees it: its tensors, its options, and the nodes it becomes.

import { OctetteError } from "../../errors";
import type { Attribute } from "../../graph/graph";
import { type Tensor, tensor as tensorOf } from "../../graph/tensor";
import { constantOf } from "./elements";
import type { FlatTable } from "./flatbuffer";
import { RESOURCE, type TfliteOperator, type TfliteSubgraph, type TfliteTensor } from "./schema";
import type { Order, TensorValues } from "./values";

/** What a graph is given: values as the file stores them, and variables by their names. */
export type Given = readonly ({ readonly value: string } | { readonly variable: string })[];

/** Writes the nodes that one operator becomes. */
export type Conversion = (source: OperatorSource) => void;
/** By the names of builtin operators. */
export type Conversions = Readonly<Record<string, Conversion>>;

type Attributes = Readonly<Record<string, Attribute>>;

/** Options by their ids in the schema; all at their defaults where an operator has none. */
export type Options = Pick<FlatTable, "bool" | "byte" | "float" | "int" | "ints" | "text">;

const NO_OPTIONS: Options = {
  bool: (_, otherwise = false) => otherwise,
  byte: (_, otherwise = 0) => otherwise,
  float: (_, otherwise = 0) => otherwise,
  int: (_, otherwise = 0) => otherwise,
  ints: () => [],
  text: () => "",
};

/** Enum ActivationFunctionType. */
const ACTIVATIONS: readonly ([op: string, attributes?: Attributes] | undefined)[] = [
  undefined,
  ["Relu"],
  ["Clip", { min: -1, max: 1 }],
  ["Clip", { min: 0, max: 6 }],
  ["Tanh"],
];

/** What operators may ask of their file. */
export interface TfliteFile {
  readonly subgraphs: readonly TfliteSubgraph[];
  /** Writes the nodes of a graph whose inputs are there. */
  convert(graph: TfliteSubgraph, values: TensorValues): void;
}

export class OperatorSource {
  readonly name: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly TfliteTensor[];
  readonly options: Options;
  readonly values: TensorValues;
  readonly #operator: TfliteOperator;
  readonly #tensorOf: (index: number) => TfliteTensor;
  readonly #file: TfliteFile;

  constructor(
    operator: TfliteOperator,
    { tensor: tensorOf }: TfliteSubgraph,
    values: TensorValues,
    file: TfliteFile,
  ) {
    this.#operator = operator;
    this.#tensorOf = tensorOf;
    this.#file = file;
    this.values = values;
    this.inputs = operator.inputs;
    this.outputs = operator.outputs.map(tensorOf);
    this.options = operator.options ?? NO_OPTIONS;
    this.name = firstName(this.outputs[0]?.name ?? operator.name);
  }

  /** Whether input `i` is there. */
  has(i: number): boolean {
    return (this.inputs[i] ?? -1) >= 0;
  }

  /** The tensor that is input `i`. */
  tensor(i: number): TfliteTensor {
    if (this.has(i)) return this.#tensorOf(this.inputs[i]!);
    throw this.error(`input ${i} is left out`);
  }

  output(i = 0): TfliteTensor {
    const output = this.outputs[i];
    if (output) return output;
    throw this.error(`output ${i} is missing`);
  }

  /** Another graph of the file. */
  subgraph(index: number): TfliteSubgraph {
    const graph = this.#file.subgraphs[index];
    if (graph) return graph;
    throw this.error("a graph is named that is not there", { got: `${index}` });
  }

  /** Writes the nodes of another graph; returns its outputs but variables, as the file stores them. */
  run(index: number, values: TensorValues, given: Given): string[] {
    const graph = this.subgraph(index);
    if (graph.inputs.length !== given.length)
      throw this.error("a graph that it runs does not take as many inputs", {
        expected: `${given.length}`,
        got: `${graph.inputs.length}`,
      });
    for (const [i, input] of graph.inputs.entries()) {
      const own = given[i]!;
      if ("variable" in own) values.variables.set(input, own.variable);
      else values.setStored(graph.tensor(input), own.value);
    }
    this.#file.convert(graph, values);
    const outputs = graph.outputs.map(graph.tensor).filter(({ type }) => type !== RESOURCE);
    return outputs.map((output) => values.stored(output));
  }

  /** Number of dimensions of input `i`. */
  rank(i: number): number {
    return this.tensor(i).shape.length;
  }

  /** Input `i`: real numbers where it is quantized. */
  real(i: number, order: Order = "last"): string {
    return this.values.real(this.tensor(i), order);
  }

  /** Whether input `i` is a constant of the file. */
  isKnown(i: number): boolean {
    return !this.values.isComputed(this.tensor(i));
  }

  /** Elements of input `i`, undefined where they are computed. Of a quantized one these are codes. */
  constant(i: number): Tensor | undefined {
    return this.isKnown(i) ? constantOf(this.tensor(i), this.values.where) : undefined;
  }

  /** Numbers of input `i`, which must be known: axes, sizes and the like. */
  numbers(i: number, what: string): number[] {
    const constant = this.constant(i);
    if (constant && constant.dtype !== "f32") return Array.from(constant.data);
    throw this.error(`${what} must be known before a run`, { got: `computed "${this.tensor(i).name}"` });
  }

  /** A new node; returns its output. */
  add(op: string, inputs: readonly string[], attributes?: Attributes): string {
    return this.values.add(op, this.name, inputs, attributes);
  }

  /** A constant of the graph. */
  number(value: number): string {
    return this.values.hold(`${this.name}_number`, tensorOf("f32", [], [value]));
  }

  list(values: readonly number[]): string {
    return this.values.hold(`${this.name}_list`, tensorOf("i32", [values.length], values));
  }

  /** Says what output `i` is, before it is rounded to codes. */
  end(value: string, order: Order = "last", i = 0): void {
    this.values.setReal(this.output(i), order, value);
  }

  /** A value after the activation that is fused into an operator. */
  activated(value: string, activation: number): string {
    const known = ACTIVATIONS[activation];
    if (activation === 0) return value;
    if (known) return this.add(known[0], [value], known[1]);
    throw this.error("its activation is unknown", { got: `${activation}` });
  }

  error(what: string, facts: { expected?: string; got?: string; hint?: string } = {}): OctetteError {
    return new OctetteError(what, {
      code: "unsupported",
      where: `${this.#operator.name} "${this.name}"`,
      ...facts,
    });
  }
}

/** Converters join the names of all that they fused. */
const firstName = (name: string): string => name.split(";", 1)[0] || name;
