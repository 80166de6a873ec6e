// Computes what does not depend on data: arithmetic on constants, and on shapes with symbols in them. Inputs that an
// op needs before a run (Op.parameters) become attributes, so that the chains exporters build around Reshape vanish.

import { OctetteError } from "../errors";
import { type Attribute, type Graph, type Node, type ValueType, valueNames } from "../graph/graph";
import { FreshNames } from "../graph/names";
import { ANY_NUMBER, countOf, type Dim, type Shape, symbolsOf } from "../graph/symbols";
import { sizeOf, type Tensor, tensor } from "../graph/tensor";
import { foundBy, symbolOf } from "../ops/act";
import { MAX_BOUND } from "../ops/control/bind";
import { MAX_RANGE } from "../ops/control/range";
import { opOf, outputTypes, type Registry, resultsOf } from "../ops/infer";
import { type Known, type Op, opError } from "../ops/op";
import { checkReads } from "../ops/reads";
import { entered, inlineBody, tightened } from "./bodies";
import { Room } from "./room";

/** What an element takes while it is computed, in bytes, whatever it becomes. */
const BYTES_MADE = 4;
/** What a list of dimensions over symbols takes for each, in bytes. */
const BYTES_LISTED = 16;

/** Numbers of a parameter: a list for every dimension, or for every output of a Split. */
const MAX_LISTED = 2 ** 10;

/** Parameters that are one number, which files also write as a list of one. All others are lists. */
const scalarParameters = new Set(["min", "max", "value"]);

/** Folds everything known into constants and attributes. */
export function foldConstants(graph: Graph, registry: Registry, room = new Room(graph)): Graph {
  const fold = new Folding(graph, registry, room);
  const visit = (node: Node): readonly Node[] => {
    const op = opOf(registry, node.op, node.name);
    const inlineBody = fold.inline(node, op);
    if (inlineBody) return inlineBody.flatMap(visit);
    const kept = fold.visit(node, op) ?? [];
    return [...fold.takeBindings(), kept].flat();
  };
  const nodes = graph.nodes.flatMap(visit);
  if (!fold.changed) return graph;
  return { ...graph, nodes, constants: new Map([...graph.constants, ...fold.made]) };
}

class Folding {
  changed = false;
  readonly made = new Map<string, Tensor>();
  readonly #known = new Map<string, Known>();
  readonly #types = new Map<string, ValueType>();
  /** What would take more is computed in every run. */
  readonly #room: Room;
  readonly #symbols: FreshNames;
  readonly #names: FreshNames;
  readonly #registry: Registry;
  readonly #graph: Graph;
  /** Names of values; made on first use. */
  #values: FreshNames | undefined;
  /** Nodes that bind parameters of the node that is visited. */
  #bindings: Node[] = [];

  constructor(graph: Graph, registry: Registry, room: Room) {
    this.#room = room;
    this.#registry = registry;
    this.#graph = graph;
    const found = graph.nodes.flatMap(({ attributes }) => (attributes.found ?? []) as readonly string[]);
    this.#symbols = new FreshNames([
      ...found,
      ...graph.inputs.flatMap(({ shape }) => shape.flatMap(symbolsOf)),
    ]);
    this.#names = new FreshNames(graph.nodes.map(({ name }) => name));
    for (const value of [...graph.inputs, ...(graph.states ?? [])]) this.#types.set(value.name, value);
    for (const [name, constant] of graph.constants) {
      this.#known.set(name, constant);
      this.#types.set(name, constant);
    }
  }

  /** What a node is whose graph is known; undefined where a run decides, or where sizes have been named after it. */
  inline(node: Node, { control }: Op): readonly Node[] | undefined {
    const chosen =
      node.attributes.found === undefined ? control?.choose?.(node, this.#knownOf(node)) : undefined;
    const body = chosen === undefined ? undefined : (node.graphs?.[chosen] as Graph | undefined);
    if (!body) return undefined;
    this.#values ??= new FreshNames(valueNames(this.#graph));
    const { nodes, constants } = inlineBody(node, body, this.#values, this.#names);
    for (const [name, constant] of constants) {
      this.made.set(name, constant);
      this.#known.set(name, constant);
      this.#types.set(name, constant);
    }
    this.changed = true;
    return nodes;
  }

  /** A node with types of the inputs of its graphs, which it has once the sizes that it finds have names. */
  #enter(node: Node, inputTypes: readonly (ValueType | undefined)[]): Node {
    if (!node.graphs) return node;
    const isNew = node.attributes.found === undefined;
    const typed = isNew
      ? entered(node, inputTypes, this.#registry, (body) => {
          if (this.#room.visit(body.nodes.length)) return foldConstants(body, this.#registry, this.#room);
          throw new OctetteError("its loops within loops carry too many sizes that change", {
            code: "limit",
            where: `${node.op} "${node.name}"`,
          });
        })
      : node;
    return tightened(typed, this.#registry, this.#constants());
  }

  #knownOf({ inputs }: Node): readonly (Known | undefined)[] {
    return inputs.map((input) => this.#known.get(input));
  }

  /** Constants of the graph and those that were made. */
  #constants(): { get(name: string): Tensor | undefined; has(name: string): boolean } {
    const get = (name: string) => this.made.get(name) ?? this.#graph.constants.get(name);
    return { get, has: (name) => get(name) !== undefined };
  }

  /** The node with known inputs as attributes, or undefined when its outputs are constants now. */
  visit(original: Node, op: Op): Node | undefined {
    const typesIn = ({ inputs }: Node) => inputs.map((input) => this.#types.get(input));
    const whole = this.#enter(original, typesIn(original));
    const node = this.#withSymbols(this.#withParameters(whole, op), op);
    checkReads(node, op);
    if (node !== original) this.changed = true;
    const inputTypes = typesIn(node);
    const types = outputTypes(node, op, (value) => this.#types.get(value), this.#registry);
    node.outputs.forEach((output, i) => {
      if (output !== "" && types[i]) this.#types.set(output, types[i]);
    });
    const results = !node.codes ? this.#evaluate(node, op, inputTypes, types) : undefined;
    if (!results) return node;
    // Dimensions over symbols stay known here; only numbers can become a constant.
    const tensors = results.map(tensorOf);
    results.forEach((result, i) => {
      const output = node.outputs[i];
      if (!output) return;
      this.#known.set(output, tensors[i] ?? result);
      this.#types.set(output, { dtype: result.dtype, shape: result.shape });
    });
    if (tensors.includes(undefined)) return this.#asDimensions(node, results) ?? node;
    node.outputs.forEach((output, i) => {
      if (output !== "") this.made.set(output, tensors[i]!);
    });
    this.changed = true;
    return undefined;
  }

  /** A node whose result follows from symbols without its inputs: whoever reads it as a tensor does not keep what it was computed from. */
  #asDimensions(node: Node, [result, ...others]: readonly Known[]): Node | undefined {
    const canBe =
      Object.hasOwn(this.#registry, "Dimensions") && node.op !== "Dimensions" && others.length === 0;
    if (!canBe || result?.dtype !== "i32" || result.data.length > MAX_BOUND) return undefined;
    const { name, outputs } = node;
    const attributes = { values: Array.from(result.data), shape: result.shape };
    this.changed = true;
    return { op: "Dimensions", name, inputs: [], outputs, attributes };
  }

  #evaluate(
    node: Node,
    op: Op,
    inputTypes: readonly (ValueType | undefined)[],
    types: readonly ValueType[],
  ): readonly Known[] | undefined {
    if (!op.evaluate) return undefined;
    const inputs = this.#knownOf(node);
    const read = inputs.reduce((n, known) => n + (known?.data.length ?? 0), 0);
    const isListed = inputs.some((known) => known && !ArrayBuffer.isView(known.data));
    const bytesOf = (count: number) => count * (isListed ? BYTES_LISTED : BYTES_MADE);
    const made = types.reduce((n, { shape }) => n + mostOf(shape), 0);
    if (!this.#room.has(bytesOf(made), bytesOf(read))) return undefined;
    const results = op.evaluate(node, inputs, inputTypes);
    if (!results || node.outputs.some((output, i) => output !== "" && !results[i])) return undefined;
    this.#room.take(bytesOf(results.reduce((n, { data }) => n + data.length, 0)), bytesOf(read));
    return results;
  }

  /** The nodes that bind what the visited node takes as parameters. */
  takeBindings(): readonly Node[] {
    const bindings = this.#bindings;
    this.#bindings = [];
    return bindings;
  }

  /** The elements of a value that a run computes as symbols, where there can be a node that binds them. */
  #bind(value: string, { inputs, attributes }: Node, { reshapes }: Op): Known | undefined {
    const [type, x] = [this.#types.get(value), this.#types.get(inputs[0]!)];
    const count = type && countOf(type.shape);
    if (!Object.hasOwn(this.#registry, "Bind") || typeof count !== "number" || count > MAX_BOUND)
      return undefined;
    const of = reshapes && x ? { of: x.shape, allowzero: attributes.allowzero ?? 0 } : {};
    const name = this.#names.fresh(`${value}_bind`);
    const node = { op: "Bind", name, inputs: [value], outputs: [], attributes: of };
    const bound = this.#withSymbols(node, this.#registry.Bind!, reshapes ? "" : ANY_NUMBER);
    this.#bindings.push(bound);
    this.changed = true;
    return { dtype: type!.dtype, shape: type!.shape as number[], data: foundBy(bound, count) };
  }

  /** A node with names for the sizes that it finds. */
  #withSymbols(node: Node, op: Op, prefix = ""): Node {
    if (!op.finds || node.attributes.found !== undefined) return node;
    const count = op.finds(
      node,
      node.inputs.map((input) => this.#types.get(input)),
      node.graphs && resultsOf(node.graphs, this.#registry),
    );
    const stem = node.outputs[0] ?? node.inputs[0] ?? "";
    const following = op.follows?.(node, this.#knownOf(node)) ?? [];
    const found = Array.from(
      { length: count },
      (_, i) => following[i] ?? this.#symbols.fresh(prefix + symbolOf(stem, i)),
    );
    return { ...node, attributes: { ...node.attributes, found } };
  }

  /** Known parameters moved from the inputs to the attributes. */
  #withParameters(node: Node, op: Op): Node {
    if (!op.parameters) return node;
    const inputs = [...node.inputs];
    const attributes: Record<string, Attribute> = { ...node.attributes };
    for (const [key, name] of Object.entries(op.parameters)) {
      const index = Number(key);
      const input = inputs[index] ?? "";
      const isComputed = input !== "" && !this.#known.has(input) && op.open?.includes(index);
      const known = isComputed ? this.#bind(input, node, op) : this.#known.get(input);
      if (!known || known.data.length > MAX_LISTED) continue;
      if (attributes[name] !== undefined)
        throw opError(node, `input ${key} and attribute ${name} are both given`, { expected: "one of them" });
      const values = Array.from(known.data);
      attributes[name] = scalarParameters.has(name) && values.length === 1 ? values[0]! : values;
      inputs[index] = "";
    }
    while (inputs.at(-1) === "") inputs.pop();
    return inputs.length === node.inputs.length && inputs.every((input, i) => input === node.inputs[i])
      ? node
      : { ...node, inputs, attributes };
  }
}

/** Elements of a value. Only those of a Range do not follow from its type. */
function mostOf(shape: Shape): number {
  const count = countOf(shape);
  return typeof count === "number" ? count : MAX_RANGE;
}

/** The tensor of a known value without symbols, whose integers i32 can hold. */
function tensorOf({ dtype, shape, data }: Known): Tensor | undefined {
  if (ArrayBuffer.isView(data)) return { dtype, shape, data } as Tensor;
  const values: Dim[] = Array.from(data);
  if (!values.every((value) => typeof value === "number") || values.length !== sizeOf(shape))
    return undefined;
  if (dtype === "i32" && values.some((value) => value !== (value | 0))) return undefined;
  return tensor(dtype, shape, values);
}
