// An ONNX file in the making, as the way back of an op sees it: names, constants, sizes, and the nodes that are written.

import { OctetteError } from "../../errors";
import { type Attribute, type Graph, type Node, type ValueType, valueNames } from "../../graph/graph";
import { FreshNames } from "../../graph/names";
import { factorsOf, parse, split } from "../../graph/polynomials";
import type { Dim } from "../../graph/symbols";
import { type Tensor, tensor } from "../../graph/tensor";
import {
  kindOfDtype,
  type WrittenAttribute,
  type WrittenFunction,
  type WrittenKind,
  type WrittenNode,
  type WrittenTensor,
} from "./write-proto";

/** What is known of the graph. */
export interface Facts {
  readonly graph: Graph;
  /** Types of all values. */
  readonly types: ReadonlyMap<string, ValueType>;
  /** Inputs of an op that are attributes where they are known, by their index. */
  parametersOf(op: string): Readonly<Record<number, string>>;
  /** Symbols that a run finds at a node. */
  foundBy(node: Node): readonly Dim[];
}

/** Writes one node of the graph as ONNX has it. */
export type Way = (node: Node, target: Target) => void;
export type Ways = Readonly<Record<string, Way>>;

/** An attribute of a written node: numbers are floats or ints by its name, unless it says what it is. */
export type GivenAttribute = Attribute | WrittenAttribute;

export interface Parts {
  readonly name?: string;
  readonly outputs?: readonly string[];
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, GivenAttribute>>;
}

/** The version of ONNX's operators that is written where no node needs a later one: the first one with codes of 4 bits in blocks. */
export const OPSET = 21;

/** Attributes that are floats: ONNX has one type for a name. */
const floatNames = new Set([
  ...["activation_alpha", "activation_beta", "alpha", "beta", "bias", "cell_clip", "clip", "cubic_coeff_a"],
  ...["epsilon", "extrapolation_value", "gamma", "lambd", "momentum", "sample_size", "scale", "softcap"],
  ...["spatial_scale", "threshold"],
]);

export class Target {
  readonly nodes: WrittenNode[] = [];
  readonly initializers = new Map<string, WrittenTensor>();
  readonly functions = new Map<string, WrittenFunction>();
  opset = OPSET;
  readonly #facts: Facts;
  readonly #values: FreshNames;
  readonly #nodeNames: FreshNames;
  /** Names of constants by how they are stored. */
  readonly #held = new Map<string, string>();
  /** Types of values that only the file has. */
  readonly #types = new Map<string, ValueType>();
  /** Names of codes whose name in the graph is that of other elements in the file. */
  readonly #codes = new Map<string, string>();
  #plainReads: ReadonlySet<string> | undefined;
  /** Vectors of one number that symbols are, and values that have a symbol as a dimension. */
  readonly #symbols = new Map<string, string>();
  readonly #sources = new Map<string, { readonly value: string; readonly axis: number }>();

  constructor(facts: Facts) {
    this.#facts = facts;
    this.#values = new FreshNames(valueNames(facts.graph));
    this.#nodeNames = new FreshNames(facts.graph.nodes.map(({ name }) => name));
  }

  get graph(): Graph {
    return this.#facts.graph;
  }

  fresh(wanted: string): string {
    return this.#values.fresh(wanted);
  }

  type(value: string): ValueType {
    return this.#types.get(value) ?? this.#facts.types.get(value)!;
  }

  freshNode(wanted: string): string {
    return this.#nodeNames.fresh(wanted);
  }

  /** The name of codes in the file. */
  codesOf(value: string): string {
    return this.#codes.get(value) ?? value;
  }

  /** Says under which name codes of the graph are in the file. */
  nameCodes(value: string, name: string): void {
    this.#codes.set(value, name);
    this.define(name, this.type(value));
  }

  /** Whether anything but what reads codes reads a value. */
  isReadPlainly(value: string): boolean {
    this.#plainReads ??= new Set([
      ...this.graph.outputs,
      ...this.graph.nodes.flatMap(({ op, inputs }) => (op.startsWith("Dequantize") ? [] : inputs)),
    ]);
    return this.#plainReads.has(value);
  }

  /** Says of which type a value is that only the file has. */
  define(value: string, type: ValueType): string {
    this.#types.set(value, type);
    return value;
  }

  constant(value: string): Tensor | undefined {
    return this.graph.constants.get(value);
  }

  parametersOf(op: string): Readonly<Record<number, string>> {
    return this.#facts.parametersOf(op);
  }

  foundBy(node: Node): readonly Dim[] {
    return this.#facts.foundBy(node);
  }

  /** The name of a value in the file: of a constant, which is written as elements of `kind`. */
  operand(value: string, kind?: WrittenKind): string {
    const constant = this.constant(value);
    return constant ? this.initializer(value, constant, kind) : value;
  }

  /** A constant of the graph under its name, or under a new one where that is held as another kind. */
  initializer(name: string, own: Tensor, kind = kindOfDtype(own.dtype)): string {
    return this.shared(`${kind} ${name}`, name, own, kind, !this.initializers.has(name));
  }

  /** A constant that is written once under a key. */
  shared(key: string, wanted: string, own: Tensor, kind = kindOfDtype(own.dtype), keepsName = false): string {
    const known = this.#held.get(key);
    if (known !== undefined) return known;
    const name = keepsName ? wanted : this.fresh(wanted);
    this.#held.set(key, name);
    this.initializers.set(name, { kind, tensor: own });
    return name;
  }

  /** A new constant. */
  hold(wanted: string, tensor: Tensor, kind = kindOfDtype(tensor.dtype)): string {
    const name = this.fresh(wanted);
    this.initializers.set(name, { kind, tensor });
    return name;
  }

  /** A float. */
  number(value: number, shape: readonly number[] = []): string {
    return this.shared(`f32 ${value} ${shape}`, "number", tensor("f32", shape, [value]));
  }

  /** Integers of 32 bits. */
  integers(values: readonly number[], shape: readonly number[] = [values.length]): string {
    if (values.some((value) => value !== (value | 0)))
      throw new OctetteError("integers beyond 32 bits", { code: "unsupported", got: `${values}` });
    return this.shared(`i64 ${values} [${shape}]`, "integers", tensor("i32", shape, values));
  }

  /** Writes a node over names of the file; gives its first output, which is new where none is named. */
  add(
    op: string,
    inputs: readonly string[],
    { name, outputs, domain = "", attributes = {} }: Parts = {},
  ): string {
    const made = outputs ?? [this.fresh(`${name ?? inputs[0] ?? op}_${op.toLowerCase()}`)];
    this.nodes.push({
      name: name === undefined ? this.#nodeNames.fresh(`${made[0]}_${op.toLowerCase()}`) : name,
      op,
      domain,
      inputs: withoutEmptyTail(inputs),
      outputs: withoutEmptyTail(made),
      attributes: new Map(Object.entries(attributes).map(([key, value]) => [key, attributeOf(key, value)])),
    });
    return made[0] ?? "";
  }

  /** Writes a node of the graph: its name and outputs, over these inputs. */
  write(node: Node, op: string, inputs: readonly string[], attributes: Parts["attributes"] = {}): void {
    this.add(op, inputs, { name: node.name, outputs: node.outputs, attributes });
  }

  /** Writes a function that nodes may name, once. */
  function(own: WrittenFunction): void {
    this.functions.set(`${own.domain}.${own.name}`, own);
  }

  /** The file needs this version of ONNX's operators. */
  needs(opset: number): void {
    this.opset = Math.max(this.opset, opset);
  }

  /** Says that a value is there, so that symbols can be read of its shape. */
  isThere(value: string): void {
    const shape = this.#facts.types.get(value)?.shape ?? [];
    for (const [axis, dim] of shape.entries())
      if (typeof dim === "string" && !this.#sources.has(dim)) this.#sources.set(dim, { value, axis });
  }

  /** Says which vector of one number has the value of a symbol. */
  isSymbol(symbol: Dim, value: string): void {
    if (typeof symbol === "string") this.#symbols.set(symbol, value);
  }

  /** Dimensions as a vector of int64, or a scalar where there is `[]` for its shape. */
  dims(dims: readonly Dim[], shape: readonly number[] = [dims.length]): string {
    if (dims.every((dim) => typeof dim === "number")) return this.integers(dims, shape);
    const parts = dims.map((dim) => this.#dim(dim));
    const all = parts.length === 1 ? parts[0]! : this.add("Concat", parts, { attributes: { axis: 0 } });
    return shape.length === 1 ? all : this.add("Reshape", [all, this.integers(shape)]);
  }

  /** A dimension as a vector of one int64. */
  #dim(dim: Dim): string {
    if (typeof dim === "number") return this.integers([dim]);
    const known = this.#symbols.get(dim);
    if (known !== undefined) return known;
    const source = this.#sources.get(dim);
    const made = source ? this.#read(source.value, source.axis) : this.#computed(dim);
    this.#symbols.set(dim, made);
    return made;
  }

  #read(value: string, axis: number): string {
    return this.add("Shape", [value], { attributes: { start: axis, end: axis + 1 } });
  }

  /** A polynomial, or a function of dimensions. */
  #computed(dim: string): string {
    const terms = [...parse(dim)].map(([monomial, coefficient]) => {
      const factors = factorsOf(monomial);
      const parts = factors.map((factor) => (factor === dim ? this.#function(dim) : this.#dim(factor)));
      if (coefficient !== 1 || parts.length === 0) parts.push(this.integers([coefficient]));
      return parts.reduce((a, b) => this.add("Mul", [a, b]));
    });
    return terms.reduce((a, b) => this.add("Add", [a, b]));
  }

  #function(factor: string): string {
    const [, name = "", inner = ""] = /^(\w+)\((.*)\)$/s.exec(factor) ?? [];
    const write = Object.hasOwn(functions, name) ? functions[name as keyof typeof functions] : undefined;
    if (!write)
      throw new OctetteError("a size is computed by what ONNX has no operator for", {
        code: "unsupported",
        where: `graph "${this.graph.name}"`,
        got: factor,
        hint: "Fix the symbol when importing (options.symbols)",
      });
    const [a, b] = split(inner, ",").map((arg) =>
      this.#dim(Number.isFinite(Number(arg)) ? Number(arg) : arg),
    );
    return write(this, a!, b!);
  }
}

/** What dimensions are computed with beside sums and products (graph/symbols.ts); of numbers that are not below 0. */
const functions = {
  div: (to: Target, a: string, b: string) => to.add("Div", [a, b]),
  max: (to: Target, a: string, b: string) => to.add("Max", [a, b]),
  min: (to: Target, a: string, b: string) => to.add("Min", [a, b]),
  both: (to: Target, a: string, b: string) => to.add("Where", [to.add("Equal", [a, to.integers([1])]), b, a]),
  wrap: (to: Target, a: string, b: string) =>
    to.add("Where", [to.add("Less", [a, to.integers([0])]), to.add("Add", [a, b]), a]),
};

function attributeOf(name: string, value: GivenAttribute): WrittenAttribute {
  if (typeof value === "string") return { kind: "string", value };
  const isFloat = floatNames.has(name);
  if (typeof value === "number") return { kind: isFloat ? "float" : "int", value };
  if (!Array.isArray(value)) return value as WrittenAttribute;
  if (value.some((one) => typeof one === "string")) return { kind: "strings", value };
  return { kind: isFloat ? "floats" : "ints", value };
}

/** Inputs and outputs that are left out at the end are not written. */
function withoutEmptyTail(names: readonly string[]): readonly string[] {
  let { length } = names;
  while (length > 0 && names[length - 1] === "") length--;
  return names.slice(0, length);
}
