// Computes what does not depend on data: arithmetic on constants, and on shapes with symbols in them. Inputs that an
// op needs before a run (Op.parameters) become attributes, so that the chains exporters build around Reshape vanish.

import { OctetteError } from "../errors";
import { substituted } from "../graph/dim-functions";
import { type Attribute, type Graph, type Node, type ValueType, valueNames } from "../graph/graph";
import { FreshNames } from "../graph/names";
import { symbolsOf } from "../graph/symbols";
import type { Tensor } from "../graph/tensor";
import { withinLimits } from "../graph/within-limits";
import { symbolOf } from "../ops/act";
import { boundNode } from "../ops/bound";
import { MAX_BOUND } from "../ops/control/bind";
import { opOf, outputTypes, resultsOf, type ToolkitOps } from "../ops/infer";
import { tensorOf } from "../ops/known";
import { type Known, type Op, opError } from "../ops/op";
import { checkReads } from "../ops/reads";
import { MAX_VISITS, Room } from "../rewrite/room";
import { entered, inlineBody, tightened } from "./bodies";
import { continued } from "./continue-branches";
import { FloatSizes } from "./float-sizes";
import { joinedSize } from "./joined-sizes";
import { SettledSizes } from "./settled-sizes";
import { mostOf, TracedElements } from "./traced-elements";

/** What an element takes while it is computed, in bytes, whatever it becomes. */
const BYTES_MADE = 4;
/** What a list of dimensions over symbols takes for each, in bytes. */
const BYTES_LISTED = 16;

/** Numbers of a parameter: a list for every dimension, or for every output of a Split. */
const MAX_LISTED = 2 ** 10;
/** Parameters that are one number, which files also write as a list of one. All others are lists. */
const scalarParameters = new Set(["min", "max", "value"]);

/** Folds everything known into constants and attributes. */
export function foldConstants(graph: Graph, registry: ToolkitOps, room = new Room(graph)): Graph {
  const fold = new Folding(graph, registry, room);
  for (let node = fold.left.pop(); node; node = fold.left.pop()) fold.visit(node);
  const { changed, nodes, made, settled } = fold;
  const folded = changed ? { ...graph, nodes, constants: new Map([...graph.constants, ...made]) } : graph;
  return settled.applied(folded);
}

class Folding {
  changed = false;
  /** Nodes that are to be visited, the next one last. */
  left: Node[];
  /** Those that are left of what was visited. */
  readonly nodes: Node[] = [];
  readonly made = new Map<string, Tensor>();
  readonly settled: SettledSizes;
  readonly #known = new Map<string, Known>();
  /** Those of the nodes so far that make a value. */
  readonly #makers = new Map<string, Node>();
  readonly #elements: TracedElements;
  readonly #types = new Map<string, ValueType>();
  readonly #floats: FloatSizes;
  /** What would take more is computed in every run. */
  readonly #room: Room;
  readonly #symbols: FreshNames;
  readonly #names: FreshNames;
  readonly #registry: ToolkitOps;
  readonly #graph: Graph;
  /** Names of values; made on first use. */
  #values: FreshNames | undefined;

  constructor(graph: Graph, registry: ToolkitOps, room: Room) {
    this.#room = room;
    this.#registry = registry;
    this.#graph = graph;
    this.left = graph.nodes.toReversed();
    const found = graph.nodes.flatMap(({ attributes }) => (attributes.found ?? []) as readonly string[]);
    this.#symbols = new FreshNames([
      ...found,
      ...graph.inputs.flatMap(({ shape }) => shape.flatMap(symbolsOf)),
    ]);
    this.#names = new FreshNames(graph.nodes.map(({ name }) => name));
    this.settled = new SettledSizes(graph, registry);
    this.#floats = new FloatSizes(registry, this.#known);
    this.#elements = new TracedElements({
      registry,
      known: this.#known,
      types: this.#types,
      makers: this.#makers,
      floored: (known, by) => this.settled.floored(known, by),
      symbols: this.#symbols,
      names: this.#names,
      add: (node) => {
        this.changed = true;
        this.nodes.push(node);
      },
    });
    for (const value of [...graph.inputs, ...(graph.states ?? [])]) this.#types.set(value.name, value);
    for (const [name, constant] of graph.constants) {
      this.#known.set(name, constant);
      this.#types.set(name, constant);
    }
  }

  /** Puts a graph that is known in the place of its node; false where a run decides, or where sizes have been named after it. */
  #inline(node: Node, { control }: Op): boolean {
    const chosen =
      node.attributes.found === undefined ? control?.choose?.(node, this.#knownOf(node)) : undefined;
    const body = chosen === undefined ? undefined : (node.graphs?.[chosen] as Graph | undefined);
    if (!body) return false;
    this.#values ??= new FreshNames(valueNames(this.#graph));
    const { nodes, constants } = inlineBody(node, body, this.#values, this.#names);
    for (const [name, constant] of constants) {
      this.made.set(name, constant);
      this.#known.set(name, constant);
      this.#types.set(name, constant);
    }
    this.left.push(...nodes.toReversed());
    return (this.changed = true);
  }

  /**
   * A node with types of the inputs of its graphs, which it has once the sizes that it finds have names. A graph of several that a run
   * chooses from is left out where its types do not fit: a run that chooses it is refused.
   */
  #enter(node: Node, { control }: Op): Node {
    if (!node.graphs) return node;
    let unfit = "";
    const fold = (body: Graph) => {
      if (!this.#room.visit(body.nodes.length))
        throw new OctetteError("simplifying its graphs looks at too many nodes", {
          code: "limit",
          where: `${node.op} "${node.name}"`,
          expected: `at most MAX_VISITS = ${MAX_VISITS}`,
          hint: "Fix the symbols when importing (options.symbols), so that fewer sizes change",
        });
      try {
        return foldConstants(body, this.#registry, this.#room);
      } catch (error) {
        const { code, message } = error as OctetteError;
        if (unfit || code !== "graph" || !control?.choose) throw error;
        unfit = message;
        return undefined;
      }
    };
    const isNew = node.attributes.found === undefined;
    const typed = isNew ? entered(node, this.#typesIn(node), this.#registry, fold) : node;
    const whole = unfit ? { ...typed, attributes: { ...typed.attributes, unfit } } : typed;
    return tightened(whole, this.#registry, this.#constants());
  }

  /** Goes on in the branches of a node that a run chooses from, where they make values of other ranks. */
  #split(node: Node, { control }: Op): boolean {
    const isOpen = control?.choose && node.attributes.found === undefined;
    const all = isOpen && continued(node, this.left.toReversed(), this.#graph.outputs, this.#registry);
    if (!all) return false;
    this.#room.split(`${node.op} "${node.name}"`);
    const constants = this.#constants();
    this.left = all.map((one) => tightened(one, this.#registry, constants)).toReversed();
    return (this.changed = true);
  }

  #typesIn({ inputs }: Node): readonly (ValueType | undefined)[] {
    return inputs.map((input) => this.#types.get(input));
  }

  #knownOf({ inputs }: Node): readonly (Known | undefined)[] {
    return inputs.map((input) => this.#known.get(input));
  }

  /** Constants of the graph and those that were made. */
  #constants(): { get(name: string): Tensor | undefined; has(name: string): boolean } {
    const get = (name: string) => this.made.get(name) ?? this.#graph.constants.get(name);
    return { get, has: (name) => get(name) !== undefined };
  }

  /** Goes on with what a node says of symbols. Returns the node with it. */
  #settle(node: Node): Node {
    const shapes = this.#typesIn(node).map((type) => type?.shape ?? []);
    const own = this.settled.by(node, shapes, this.#knownOf(node));
    if (!own) return node;
    this.changed = true;
    this.left = this.left.map((one) => boundNode(one, this.#registry, own));
    for (const [name, { dtype, shape }] of this.#types)
      this.#types.set(name, { dtype, shape: shape.map((dim) => substituted(dim, own)) });
    for (const [name, { dtype, shape, data }] of this.#known)
      if (!ArrayBuffer.isView(data))
        this.#known.set(name, { dtype, shape, data: Array.from(data, (dim) => substituted(dim, own)) });
    return boundNode(node, this.#registry, own);
  }

  /** Keeps the node with known inputs as attributes, or makes constants of its outputs. */
  visit(original: Node): void {
    const op = opOf(this.#registry, original.op, original.name);
    if (this.#inline(original, op)) return;
    const whole = this.#enter(original, op);
    if (this.#split(whole, op)) return;
    const node = this.#settle(this.#withSymbols(this.#withParameters(whole, op), op));
    checkReads(node, op);
    if (node !== original) this.changed = true;
    const isFound = () => !op.follows?.(node, this.#knownOf(node))?.includes(undefined);
    if (node.outputs.length === 0 && this.#knownOf(node).every(Boolean) && isFound()) return;
    const inputTypes = this.#typesIn(node);
    const types = outputTypes(node, op, (value) => this.#types.get(value), this.#registry);
    this.settled.read(node, inputTypes);
    node.outputs.forEach((output, i) => {
      const type = types[i];
      if (output !== "" && type) this.#types.set(output, { ...type, shape: type.shape.map(joinedSize) });
    });
    const made = node.codes
      ? undefined
      : (this.#evaluate(node, op, inputTypes, types) ??
        this.#floats.visit(node, types[0], (dim) => this.settled.need(dim, node.name)));
    const results = made?.map((known) => this.settled.floored(known, node.name));
    if (!results) return this.#keep(node);
    // Dimensions over symbols stay known here; only numbers can become a constant.
    const tensors = results.map(tensorOf);
    results.forEach((result, i) => {
      const output = node.outputs[i];
      if (!output) return;
      this.#known.set(output, tensors[i] ?? result);
      this.#types.set(output, { dtype: result.dtype, shape: result.shape });
    });
    if (tensors.includes(undefined)) return this.#keep(this.#asDimensions(node, results) ?? node);
    node.outputs.forEach((output, i) => {
      if (output !== "") this.made.set(output, tensors[i]!);
    });
    this.changed = true;
  }

  #keep(node: Node): void {
    this.nodes.push(node);
    for (const output of node.outputs) this.#makers.set(output, node);
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
    const results = withinLimits(() => op.evaluate!(node, inputs, inputTypes));
    if (!results || node.outputs.some((output, i) => output !== "" && !results[i])) return undefined;
    this.#room.take(bytesOf(results.reduce((n, { data }) => n + data.length, 0)), bytesOf(read));
    return results;
  }

  /** A node with names for the sizes that it finds. */
  #withSymbols(node: Node, op: Op): Node {
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
      (_, i) => following[i] ?? this.#symbols.fresh(symbolOf(stem, i)),
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
      const known = this.#elements.parameter(inputs[index] ?? "", index, node, op);
      if (!known || known.data.length > MAX_LISTED) continue;
      if (known.isWorkedOut) attributes.allowzero = 1;
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
