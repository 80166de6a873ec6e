// An ONNX file in the making, as the way back of an op sees it: names, constants, sizes, and the nodes that are written.

import { OctetteError } from "../../errors";
import {
  type Attribute,
  consumersOf,
  type Graph,
  type Node,
  producersOf,
  type ValueType,
  valueNames,
} from "../../graph/graph";
import { FreshNames } from "../../graph/names";
import type { Dim } from "../../graph/symbols";
import { type Tensor, tensor } from "../../graph/tensor";
import {
  kindOfDtype,
  type WrittenAttribute,
  type WrittenFunction,
  type WrittenKind,
  type WrittenNode,
  type WrittenTensor,
  type WrittenValue,
} from "./write-proto";
import { Sizes } from "./written-sizes";

/** What is known of a graph. */
export interface Facts {
  readonly graph: Graph;
  /** Types of all values. */
  readonly types: ReadonlyMap<string, ValueType>;
  /** Inputs of an op that are attributes where they are known, by their index. */
  parametersOf(op: string): Readonly<Record<number, string>>;
  /** Symbols that a run finds at a node. */
  foundBy(node: Node): readonly Dim[];
  /** What is known of a graph of a node. */
  within(body: Graph): Facts;
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

/** What the graphs of a file share: constants are written once, names are unique. */
export class WrittenFile {
  readonly initializers = new Map<string, WrittenTensor>();
  readonly functions = new Map<string, WrittenFunction>();
  /** Domains of operators beside ONNX's own. */
  readonly domains = new Set<string>();
  opset = OPSET;
  readonly values: FreshNames;
  readonly nodeNames: FreshNames;
  /** Names of initializers by how they are stored. */
  readonly held = new Map<string, string>();
  /** Names of constants, which are the same objects in all graphs. */
  readonly constants: Map<Tensor, string>;
  /** Writes the nodes of a graph. */
  readonly writeNodes: (target: Target) => void;

  constructor({ nodes, constants, ...graph }: Graph, writeNodes: (target: Target) => void) {
    this.values = new FreshNames(valueNames({ nodes, constants, ...graph }));
    this.nodeNames = new FreshNames(nodes.map(({ name }) => name));
    this.constants = new Map([...constants].map(([name, constant]) => [constant, name]));
    this.writeNodes = writeNodes;
  }
}

/** One graph of the file. */
export class Target {
  readonly nodes: WrittenNode[] = [];
  readonly sizes = new Sizes(this);
  readonly #facts: Facts;
  readonly #file: WrittenFile;
  /** The graph around. */
  readonly #around: Target | undefined;
  /** Types of values that only the file has. */
  readonly #types = new Map<string, ValueType>();
  /** Names of codes whose name in the graph is that of other elements in the file. */
  readonly #codes = new Map<string, string>();
  #plainReads: ReadonlySet<string> | undefined;
  #readers: ReadonlyMap<string, readonly Node[]> | undefined;
  #producers: ReadonlyMap<string, Node> | undefined;

  constructor(facts: Facts, file: WrittenFile, around?: Target) {
    this.#facts = facts;
    this.#file = file;
    this.#around = around;
    file.writeNodes(this);
  }

  /** Writes a graph of a node, whose names are those of the file. */
  within(body: Graph): Target {
    return new Target(this.#facts.within(body), this.#file, this);
  }

  get graph(): Graph {
    return this.#facts.graph;
  }

  fresh(wanted: string): string {
    return this.#file.values.fresh(wanted);
  }

  type(value: string): ValueType {
    return this.#types.get(value) ?? this.#facts.types.get(value) ?? this.#around!.type(value);
  }

  freshNode(wanted: string): string {
    return this.#file.nodeNames.fresh(wanted);
  }

  /** The name of codes in the file. */
  codesOf(value: string): string {
    return this.#codes.get(value) ?? this.#around?.codesOf(value) ?? value;
  }

  /** The name in the file of the elements that a value has in the graph: a zero point that is found is a byte to what reads codes alone. */
  plain(value: string): string {
    return value === "" || this.type(value).dtype === "i32" ? value : this.codesOf(value);
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

  producerOf(value: string): Node | undefined {
    this.#producers ??= producersOf(this.graph);
    return this.#producers.get(value);
  }

  readersOf(value: string): readonly Node[] {
    this.#readers ??= consumersOf(this.graph);
    return this.#readers.get(value) ?? [];
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

  /** The name of a constant of a graph within the graph. */
  constantName(wanted: string, own: Tensor): string {
    const { constants } = this.#file;
    const name = constants.get(own) ?? this.fresh(wanted);
    constants.set(own, name);
    return name;
  }

  /** A constant of the graph under its name, or under a new one where that is held as another kind. */
  initializer(name: string, own: Tensor, kind = kindOfDtype(own.dtype)): string {
    return this.shared(`${kind} ${name}`, name, own, kind, !this.isHeld(name));
  }

  /** Whether an initializer has the name. */
  isHeld(name: string): boolean {
    return this.#file.initializers.has(name);
  }

  /** A constant that is written once under a key. */
  shared(key: string, wanted: string, own: Tensor, kind = kindOfDtype(own.dtype), keepsName = false): string {
    const { held, initializers } = this.#file;
    const known = held.get(key);
    if (known !== undefined) return known;
    const name = keepsName ? wanted : this.fresh(wanted);
    held.set(key, name);
    initializers.set(name, { kind, tensor: own });
    return name;
  }

  /** A new constant. */
  hold(wanted: string, tensor: Tensor, kind = kindOfDtype(tensor.dtype)): string {
    const name = this.fresh(wanted);
    this.#file.initializers.set(name, { kind, tensor });
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
    if (domain !== "") this.#file.domains.add(domain);
    this.nodes.push({
      name: name === undefined ? this.freshNode(`${made[0]}_${op.toLowerCase()}`) : name,
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
    this.#file.functions.set(`${own.domain}.${own.name}`, own);
  }

  /** The file needs this version of ONNX's operators. */
  needs(opset: number): void {
    this.#file.opset = Math.max(this.#file.opset, opset);
  }

  /** An input or output of the graph. Symbols of a graph within the graph mean nothing outside of it. */
  info(name: string): WrittenValue {
    const { dtype, shape } = this.type(name);
    const told = this.#around ? shape.map((dim) => (typeof dim === "number" ? dim : "")) : shape;
    return { name, kind: kindOfDtype(dtype), shape: told };
  }
}

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
