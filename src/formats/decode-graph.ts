// A graph read from its rows (graph-rows.ts), every part of them checked.

import { FormatError, OctetteError } from "../errors";
import type { Attribute, Graph, Input, Node, Preprocessing } from "../graph/graph";
import type { Dim } from "../graph/symbols";
import { allocate, type Constant, type DType, sizeOf, type Tensor } from "../graph/tensor";
import { brief, MAX_RANK } from "./elements";
import {
  asWritten,
  BOUNDARY,
  dtypes,
  MAX_MADE_ELEMENTS,
  MAX_NODES,
  MAX_STEM,
  PLAIN,
  productOf,
  REGION,
  sameElements,
  stem,
} from "./graph-rows";

/** The graph of a JSON text and its tensors. Throws FormatError where any part of it is not what it should be. */
export function decodeGraph<C extends Constant>(
  json: unknown,
  tensors: ReadonlyMap<string, C>,
  provenance: Readonly<Record<string, unknown>>,
  where: string,
): Graph<C | Tensor> {
  return new Decoder(json, tensors, where).decode(provenance);
}

class Decoder<C extends Constant> {
  readonly #header: Record<string, unknown>;
  readonly #strings: readonly string[];
  readonly #constants: Map<string, C | Tensor>;
  readonly #where: string;
  #madeElements = 0;

  constructor(json: unknown, tensors: ReadonlyMap<string, C>, where: string) {
    this.#where = where;
    this.#header = this.#object(json, "it");
    this.#strings = this.#list(this.#header.strings, "strings").map((s) => this.#text(s, "a name"));
    this.#constants = new Map<string, C | Tensor>(tensors);
  }

  decode(provenance: Readonly<Record<string, unknown>>): Graph<C | Tensor> {
    const { name, inputs, outputs, scalars } = this.#header;
    for (const scalar of this.#list(scalars, "scalars")) {
      const [constant, dtype, shape, value] = this.#list(scalar, "a scalar");
      const size = this.#sizes(shape);
      if (sizeOf(size) !== 1) this.#fail("a scalar has more than one element", shape);
      this.#add(this.#name(constant), this.#filled(this.#dtype(dtype), size, value));
    }
    return {
      name: this.#text(name, "its name"),
      inputs: this.#list(inputs, "inputs").map((input) => this.#input(input)),
      outputs: this.#list(outputs, "outputs").map((output) => this.#name(output)),
      nodes: this.#nodes(),
      constants: this.#constants,
      provenance,
    };
  }

  #nodes(): Node[] {
    const nodes: Node[] = [];
    for (const row of this.#list(this.#header.nodes, "nodes")) {
      nodes.push(...this.#row(this.#list(row, "a row")));
      if (nodes.length > MAX_NODES)
        throw new OctetteError("the graph has too many nodes", {
          code: "limit",
          where: this.#where,
          expected: `at most MAX_NODES = ${MAX_NODES}`,
        });
    }
    return nodes;
  }

  #input(input: unknown): Input {
    const [name, dtype, shape, preprocessing] = this.#list(input, "an input");
    const plain = { name: this.#name(name), dtype: this.#dtype(dtype), shape: this.#dims(shape) };
    return preprocessing === undefined
      ? plain
      : { ...plain, preprocessing: this.#preprocessing(preprocessing) };
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

  #row(row: readonly unknown[]): Node[] {
    if (row[0] === REGION) return this.#region(row);
    if (row[0] === BOUNDARY) return [this.#boundary(row)];
    const [kind, op, name, attributes, inputs, outputs, region] = row;
    if (kind !== PLAIN) this.#fail("a row is of no known kind", kind);
    const node = {
      op: this.#text(op, "an operator"),
      name: this.#name(name),
      inputs: this.#list(inputs, "inputs").map((input) => this.#name(input)),
      outputs: this.#list(outputs, "outputs").map((output) => this.#name(output)),
      attributes: this.#attributes(attributes),
    };
    return [region === undefined ? node : { ...node, region: this.#name(region) }];
  }

  #boundary([, op, name, value, codes, scale, zero, dtype]: readonly unknown[]): Node {
    if (op !== "QuantizeLinear" && op !== "DequantizeLinear") this.#fail("not a boundary of codes", op);
    const [real, coded] = [this.#name(value), this.#name(codes)];
    const parameters = this.#parameters(coded, scale, zero, this.#dtype(dtype));
    const [from, to] = op === "QuantizeLinear" ? [real, coded] : [coded, real];
    return {
      op: op as string,
      name: this.#name(name),
      inputs: [from, ...parameters],
      outputs: [to],
      attributes: {},
    };
  }

  #region([, op, name, attributes, operands, result, activation]: readonly unknown[]): Node[] {
    const region = this.#name(name);
    const nodes: Node[] = [];
    const scales: (C | Tensor | undefined)[] = [];
    const made = new Set<string>();
    const read = this.#list(operands, "operands");
    if (read.length > MAX_NODES) this.#fail("a region reads too much", read.length);
    const inputs = read.map((operand) => {
      if (!Array.isArray(operand)) return this.#name(operand);
      const [index, scale, zero, axis = null, dtype = "u8"] = operand as readonly unknown[];
      const codes = this.#name(index);
      if (scale === null) this.#make(scales[1]?.data?.length ?? 0);
      const derived = scale === null ? productOf(scales[0], scales[1]) : undefined;
      if (scale === null && !derived) this.#fail("a scale cannot be derived", operand);
      const parameters = this.#parameters(codes, derived ?? scale, zero, this.#dtype(dtype));
      scales.push(this.#constants.get(parameters[0]!));
      const real = `${this.#short(codes)}_real@${this.#short(region)}`;
      if (made.has(real)) return real;
      made.add(real);
      const attributes = axis === null ? {} : { axis: this.#number(axis, "an axis") };
      nodes.push({
        op: "DequantizeLinear",
        name: real,
        inputs: [codes, ...parameters],
        outputs: [real],
        attributes,
        region,
      });
      return real;
    });
    const coded = Array.isArray(result) ? this.#name(result[0]) : undefined;
    const last =
      coded === undefined ? this.#name(result) : `${this.#stem(coded)}_real@${this.#short(region)}`;
    const own = activation === undefined ? last : `${this.#stem(coded ?? last)}_sum@${this.#short(region)}`;
    nodes.push({
      op: this.#text(op, "an operator"),
      name: region,
      inputs,
      outputs: [own],
      attributes: this.#attributes(attributes),
      region,
    });
    if (activation !== undefined) {
      const [kind, name, attributes] = this.#list(activation, "an activation");
      const node = {
        op: this.#text(kind, "an operator"),
        name: this.#name(name),
        inputs: [own],
        outputs: [last],
      };
      nodes.push({ ...node, attributes: this.#attributes(attributes), region });
    }
    if (coded !== undefined) {
      const [, scale, zero, dtype] = result as readonly unknown[];
      const parameters = this.#parameters(coded, scale, zero, this.#dtype(dtype));
      const name = `${this.#stem(coded)}_quantize`;
      nodes.push({
        op: "QuantizeLinear",
        name,
        inputs: [last, ...parameters],
        outputs: [coded],
        attributes: {},
        region,
      });
    }
    return nodes;
  }

  /** Names of scale and zero point; constants are made of what stands in the row. */
  #parameters(codes: string, scale: unknown, zero: unknown, dtype: DType): string[] {
    const [scaleName, zeroName] = [`${this.#stem(codes)}_scale`, `${this.#stem(codes)}_zero_point`];
    const isTensor = typeof scale === "object" && scale !== null && "data" in scale;
    const made = isTensor ? (scale as Tensor) : undefined;
    const named = Array.isArray(scale)
      ? this.#name(scale[0])
      : this.#add(scaleName, made ?? this.#filled("f32", [], scale));
    if (zero === null) return [named];
    if (Array.isArray(zero)) return [named, this.#name(zero[0])];
    const shape = this.#constants.get(named)?.shape ?? this.#fail("a zero point has no scale", codes);
    const type = this.#constants.get(codes)?.dtype ?? dtype;
    return [named, this.#add(zeroName, this.#filled(type, shape, zero))];
  }

  /** A name that others are derived from: long ones would be many times as long as the file. */
  #short(name: string): string {
    if (name.length <= MAX_STEM) return name;
    throw new OctetteError("a row derives names from one that is too long", {
      code: "limit",
      where: this.#where,
      expected: `at most MAX_STEM = ${MAX_STEM}`,
      got: `${name.length}`,
    });
  }

  #stem(codes: string): string {
    return this.#short(stem(codes));
  }

  /** Counts the elements of a constant before it is made. */
  #make(elements: number): void {
    if ((this.#madeElements += elements) <= MAX_MADE_ELEMENTS) return;
    throw new OctetteError("its rows make too many constants", {
      code: "limit",
      where: this.#where,
      expected: `at most MAX_MADE_ELEMENTS = ${MAX_MADE_ELEMENTS}`,
    });
  }

  /** A constant of one number, which its type must be able to hold. */
  #filled(dtype: DType, shape: readonly number[], value: unknown): Tensor {
    const number = this.#number(value, "an element");
    this.#make(sizeOf(shape));
    const data = allocate(dtype, sizeOf(shape)).fill(number);
    const isHeld = Number.isFinite(number) && data.every((element) => element === number);
    if (!isHeld || (dtype === "bool" && number > 1)) this.#fail(`an element is no ${dtype}`, value);
    return { dtype, shape, data };
  }

  /** Keeps a constant; the same one may come again, another under its name may not. */
  #add(name: string, constant: Tensor): string {
    const known = this.#constants.get(name);
    if (known && !sameElements(known, constant)) this.#fail("two constants have one name", name);
    if (!known) this.#constants.set(name, constant);
    return name;
  }

  #name(index: unknown): string {
    if (index === -1) return "";
    const text = typeof index === "number" ? this.#strings[index] : undefined;
    return text ?? this.#fail("no such name", index);
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
