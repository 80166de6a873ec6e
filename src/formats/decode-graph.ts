// A graph read from its rows (graph-rows.ts), every part of them checked.

import { FormatError, OctetteError } from "../errors";
import { checkBodies } from "../graph/bodies";
import type {
  Attribute,
  CodeParameters,
  Codes,
  Graph,
  GroupScales,
  Input,
  Node,
  Preprocessing,
  State,
} from "../graph/graph";
import type { Dim } from "../graph/symbols";
import { allocate, type Constant, type DType, sizeOf, type Tensor } from "../graph/tensor";
import { brief, MAX_RANK } from "./checks";
import { asWritten, dtypes, MAX_NODES, MAX_PREFIX } from "./graph-rows";

/** The graph of a JSON text and its tensors. Throws FormatError where any part of it is not what it should be. */
export function decodeGraph<C extends Constant>(
  json: unknown,
  tensors: ReadonlyMap<string, C>,
  provenance: Readonly<Record<string, unknown>>,
  where: string,
): Graph<C | Tensor> {
  return new Decoder(json, tensors, where).decode(provenance);
}

/** What the graphs of a file share. */
interface Whole {
  /** Constants that are named by graphs within the graph. */
  readonly within: Set<string>;
  /** Nodes that were read. */
  nodes: number;
}

class Decoder<C extends Constant> {
  readonly #header: Record<string, unknown>;
  readonly #strings: readonly string[];
  readonly #constants: Map<string, C | Tensor>;
  readonly #where: string;
  readonly #tensors: ReadonlyMap<string, C>;
  readonly #whole: Whole;
  readonly #depth: number;

  constructor(
    json: unknown,
    tensors: ReadonlyMap<string, C>,
    where: string,
    whole: Whole = { within: new Set(), nodes: 0 },
    depth = 0,
  ) {
    checkBodies(depth, where);
    this.#where = where;
    this.#tensors = tensors;
    this.#whole = whole;
    this.#depth = depth;
    this.#header = this.#object(json, "it");
    const texts = this.#list(this.#header.strings, "strings");
    this.#strings = texts.map((text) =>
      Array.isArray(text) ? this.#joined(text, texts) : this.#text(text, "a name"),
    );
    this.#constants = new Map<string, C | Tensor>(depth > 0 ? this.#own() : tensors);
  }

  decode(provenance: Readonly<Record<string, unknown>>): Graph<C | Tensor> {
    const { name, inputs, outputs, scalars, states, classes } = this.#header;
    const nodes = this.#nodes();
    const named = new Set(this.#strings);
    if (this.#depth === 0)
      for (const constant of this.#whole.within) if (!named.has(constant)) this.#constants.delete(constant);
    for (const scalar of this.#list(scalars, "scalars")) {
      const [constant, dtype, shape, value] = this.#list(scalar, "a scalar");
      const size = this.#sizes(shape);
      if (sizeOf(size) !== 1) this.#fail("a scalar has more than one element", shape);
      const known = this.#name(constant);
      if (this.#constants.has(known)) this.#fail("two constants have one name", known);
      this.#constants.set(known, this.#filled(this.#dtype(dtype), size, value));
    }
    return {
      name: this.#text(name, "its name"),
      inputs: this.#list(inputs, "inputs").map((input) => this.#input(input)),
      outputs: this.#names(outputs, "outputs"),
      nodes,
      constants: this.#constants,
      ...(states !== undefined && {
        states: this.#list(states, "states").map((state) => this.#state(this.#list(state, "a state"))),
      }),
      ...(classes !== undefined && {
        classes: this.#list(classes, "classes").map((name) => this.#text(name, "a class")),
      }),
      provenance,
    };
  }

  #nodes(): Node[] {
    const rows = this.#list(this.#header.nodes, "nodes");
    if ((this.#whole.nodes += rows.length) > MAX_NODES)
      throw new OctetteError("the graph has too many nodes", {
        code: "limit",
        where: this.#where,
        expected: `at most MAX_NODES = ${MAX_NODES}`,
      });
    return rows.map((row) => this.#node(this.#list(row, "a row")));
  }

  /** The constants that a graph within the graph names. */
  #own(): Map<string, C> {
    return new Map(
      this.#names(this.#header.tensors, "tensors").map((name) => {
        this.#whole.within.add(name);
        return [name, this.#tensors.get(name) ?? this.#fail("it has no such tensor", name)] as const;
      }),
    );
  }

  #graphs(value: unknown): NonNullable<Node["graphs"]> {
    const graphs = Object.entries(this.#object(value, "graphs"));
    return Object.fromEntries(
      graphs.map(([name, json]) => {
        const body = new Decoder(json, this.#tensors, this.#where, this.#whole, this.#depth + 1);
        return [name, body.decode({})] as const;
      }),
    );
  }

  #input(input: unknown): Input {
    const [name, dtype, shape, preprocessing] = this.#list(input, "an input");
    const plain = { name: this.#name(name), dtype: this.#dtype(dtype), shape: this.#dims(shape) };
    return preprocessing === undefined
      ? plain
      : { ...plain, preprocessing: this.#preprocessing(preprocessing) };
  }

  #state([name, dtype, shape]: readonly unknown[]): State {
    return { name: this.#name(name), dtype: this.#dtype(dtype), shape: this.#dims(shape) };
  }

  #preprocessing(value: unknown): Preprocessing {
    const { layout, scale, mean, std, of } = this.#object(value, "preprocessing");
    if (layout !== "nchw" && layout !== "nhwc") this.#fail("preprocessing has no such layout", layout);
    const numbers = (list: unknown) => {
      const all = this.#list(list, "preprocessing").map((n) => this.#number(n, "preprocessing"));
      return all.length > 0 ? all : this.#fail("preprocessing is empty", list);
    };
    return {
      layout: layout as "nchw",
      scale: this.#number(scale, "preprocessing"),
      mean: numbers(mean),
      std: numbers(std),
      // verify() knows what it may be.
      ...(of === undefined ? {} : { of: of as "numbers" }),
    };
  }

  #node([op, name, attributes, inputs, outputs, codes, graphs]: readonly unknown[]): Node {
    return {
      op: this.#text(op, "an operator"),
      name: this.#name(name),
      inputs: this.#names(inputs, "inputs"),
      outputs: this.#names(outputs, "outputs"),
      attributes: this.#attributes(attributes),
      ...(codes === undefined || (codes === null && graphs !== undefined)
        ? {}
        : { codes: this.#codes(this.#list(codes, "codes")) }),
      ...(graphs === undefined ? {} : { graphs: this.#graphs(graphs) }),
    };
  }

  #codes([inputs, output, bounds]: readonly unknown[]): Codes {
    const made = this.#parameters(output);
    const [lo, hi] = bounds === undefined ? [] : this.#list(bounds, "bounds");
    return {
      inputs: this.#list(inputs, "code parameters").map((p) => this.#parameters(p)),
      ...(made && { output: made }),
      ...(bounds === undefined
        ? {}
        : { bounds: { lo: this.#bound(lo, -Infinity), hi: this.#bound(hi, Infinity) } }),
    };
  }

  #bound(value: unknown, none: number): number {
    return value === null ? none : this.#number(asWritten(value), "a bound");
  }

  /** A name that begins with another one, which is a text itself. */
  #joined([index, rest]: readonly unknown[], texts: readonly unknown[]): string {
    const text = typeof index === "number" ? texts[index] : undefined;
    if (typeof text !== "string" || text.length > MAX_PREFIX)
      this.#fail("a name begins with no other", index);
    return `${text}${this.#text(rest, "a name")}`;
  }

  #parameters(value: unknown): CodeParameters | undefined {
    if (value === null) return undefined;
    const [scale, zeroPoint, axis, groups] = this.#list(value, "code parameters");
    return {
      scale: this.#name(scale),
      zeroPoint: this.#name(zeroPoint),
      ...(axis !== undefined && axis !== null && { axis: this.#number(axis, "an axis") }),
      ...(groups !== undefined && { groups: this.#groups(this.#list(groups, "groups")) }),
    };
  }

  #groups([size, scales, offsets]: readonly unknown[]): GroupScales {
    return {
      size: this.#number(size, "the size of a group"),
      scales: this.#name(scales),
      ...(offsets !== undefined && { offsets: this.#name(offsets) }),
    };
  }

  /** A constant of one number, which its type must be able to hold. */
  #filled(dtype: DType, shape: readonly number[], value: unknown): Tensor {
    const number = this.#number(value, "an element");
    const data = allocate(dtype, sizeOf(shape)).fill(number);
    const isHeld = Number.isFinite(number) && data.every((element) => element === number);
    if (!isHeld || (dtype === "bool" && number > 1)) this.#fail(`an element is no ${dtype}`, value);
    return { dtype, shape, data };
  }

  #name(index: unknown): string {
    if (index === -1) return "";
    const text = typeof index === "number" ? this.#strings[index] : undefined;
    return text ?? this.#fail("no such name", index);
  }

  #names(value: unknown, what: string): string[] {
    return this.#list(value, what).map((index) => this.#name(index));
  }

  #attributes(value: unknown): Record<string, Attribute> {
    const isPlain = (v: unknown) => typeof v === "number" || typeof v === "string";
    const attributes = Object.entries(this.#object(value, "attributes")).map(([name, stored]) => {
      const attribute = Array.isArray(stored) ? stored.map(asWritten) : asWritten(stored);
      if (!isPlain(attribute) && !(Array.isArray(attribute) && attribute.every(isPlain)))
        this.#fail(`attribute ${name} is neither number, text nor a list of them`, attribute);
      return [name, attribute] as const;
    });
    return Object.fromEntries(attributes) as Record<string, Attribute>;
  }

  #dims(value: unknown): Dim[] {
    const dims = this.#list(value, "a shape");
    if (dims.length > MAX_RANK) this.#fail(`a shape has more than ${MAX_RANK} dimensions`, dims);
    return dims.map((dim) => {
      const isSize = Number.isSafeInteger(dim) && (dim as number) >= 0;
      const isSymbol = typeof dim === "string" && /^[A-Za-z_]\w*$/.test(dim);
      return isSize || isSymbol ? (dim as Dim) : this.#fail("not a dimension", dim);
    });
  }

  #sizes(value: unknown): number[] {
    return this.#dims(value).map((dim) =>
      typeof dim === "number" ? dim : this.#fail("a constant has a fixed size", dim),
    );
  }

  #dtype(value: unknown): DType {
    return dtypes.includes(value) ? (value as DType) : this.#fail("no such element type", value);
  }

  #number(value: unknown, what: string): number {
    return typeof value === "number" ? value : this.#fail(`${what} is not a number`, value);
  }

  #text(value: unknown, what: string): string {
    return typeof value === "string" ? value : this.#fail(`${what} is not a text`, value);
  }

  #list(value: unknown, what: string): readonly unknown[] {
    return Array.isArray(value) ? value : this.#fail(`${what} is not a list`, value);
  }

  #object(value: unknown, what: string): Record<string, unknown> {
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : this.#fail(`${what} is not an object`, value);
  }

  #fail(what: string, got: unknown): never {
    throw new FormatError(`the graph is damaged, ${what}`, { where: this.#where, got: brief(got) });
  }
}
