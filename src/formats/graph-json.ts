// A graph as compact JSON, its larger constants left to the file around it. Names stand once in a table. An integer
// region is one row: its DequantizeLinear and QuantizeLinear nodes follow from what it reads and makes, and a scale that is a
// single number stands in the row. What is written again after reading gives the same text.
//
//   row      [0, op, name, attributes, inputs, outputs, region?]                     a node as it is
//            [1, op, name, attributes, operands, result, [op, name, attributes]?]    a region, with its activation
//            [2, op, name, value, codes, scale, zero, dtype]                         QuantizeLinear, DequantizeLinear
//   operand  value | [codes, scale, zero, axis?, dtype?]      result  value | [codes, scale, zero, dtype]
//   scale    number | [value] | null: sx · sw of the operands before it             zero  number | [value] | null: none
//
// Attributes are numbers, texts or lists of them; a number that JSON has not is {"number": "-Infinity"}, or NaN, or −0.
// Values are indices into the table of names; −1 is an operand left out.

import { FormatError, OctetteError } from "../errors";
import type { Attribute, Graph, Input, Node, Preprocessing } from "../graph/graph";
import type { Dim } from "../graph/symbols";
import { allocate, type DType, sizeOf, type Tensor } from "../graph/tensor";
import { verify } from "../graph/verify";
import { MAX_RANK } from "./elements";

/** Nodes of a graph that is read. The largest models for a device have some thousand. */
export const MAX_NODES = 2 ** 14;
/** Elements of all constants that rows of a file make; a graph that needs more is written in plain rows. */
const MAX_MADE_ELEMENTS = 2 ** 22;
/** Length of a name, in UTF-16 code units, that rows derive others from. */
const MAX_STEM = 2 ** 10;

type Index = number;
type Reference = number | readonly [Index] | null;
type Operand = Index | readonly [Index, Reference, Reference, (number | null)?, DType?];
type Row = readonly unknown[];

const PLAIN = 0;
const REGION = 1;
const BOUNDARY = 2;
const dtypes: readonly unknown[] = ["f32", "i8", "u8", "i32", "bool"] satisfies DType[];

/** The name that scale and zero point of some codes are called after. */
const stem = (codes: string) => (codes.endsWith("_codes") ? codes.slice(0, -"_codes".length) : codes);

interface Encoded {
  readonly json: string;
  readonly tensors: Map<string, Tensor>;
}

/** JSON of a graph, and the constants that do not stand in it. */
export function encodeGraph(graph: Graph): Encoded {
  const compact = new Encoder(graph, true).encode();
  return comesBack(compact) ? compact : new Encoder(graph, false).encode();
}

/** Whether a text is read as a graph that gives the same text. Not where names are those that its rows imply for others. */
function comesBack({ json, tensors }: Encoded): boolean {
  try {
    const graph = decodeGraph(JSON.parse(json), tensors, {}, "graph");
    verify(graph);
    return new Encoder(graph, true).encode().json === json;
  } catch (error) {
    if (error instanceof OctetteError) return false;
    throw error;
  }
}

class Encoder {
  readonly #graph: Graph;
  /** Regions and boundaries in a row each. */
  readonly #isCompact: boolean;
  readonly #strings = new Map<string, Index>();
  /** Constants that a row names. */
  readonly #named = new Set<string>();
  readonly #regions = new Map<string, Node[]>();

  constructor(graph: Graph, isCompact: boolean) {
    this.#graph = graph;
    this.#isCompact = isCompact;
    for (const node of graph.nodes)
      if (node.region !== undefined)
        this.#regions.set(node.region, [...(this.#regions.get(node.region) ?? []), node]);
  }

  encode(): Encoded {
    const { name, inputs, outputs, nodes, constants } = this.#graph;
    const rows = nodes.flatMap((node) => this.#row(node));
    const header = {
      name,
      inputs: inputs.map(({ name, dtype, shape, preprocessing }) =>
        preprocessing
          ? [this.#value(name), dtype, shape, inOrder(preprocessing)]
          : [this.#value(name), dtype, shape],
      ),
      outputs: outputs.map((output) => this.#value(output)),
      nodes: rows,
      scalars: [] as unknown[],
      strings: [] as string[],
    };
    const tensors = new Map<string, Tensor>();
    for (const constant of this.#named) {
      const { dtype, shape, data } = constants.get(constant)!;
      const isScalar = data.length === 1 && Number.isFinite(data[0]) && !Object.is(data[0], -0);
      if (isScalar) header.scalars.push([this.#value(constant), dtype, shape, data[0]]);
      else tensors.set(constant, constants.get(constant)!);
    }
    header.strings.push(...this.#strings.keys());
    return { json: JSON.stringify(header), tensors };
  }

  #string(text: string): Index {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    this.#strings.set(text, this.#strings.size);
    return this.#strings.size - 1;
  }

  #value(name: string): Index {
    if (name === "") return -1;
    if (this.#graph.constants.has(name)) this.#named.add(name);
    return this.#string(name);
  }

  /** The row of a node; a region's row stands where its op does, its other nodes have none. */
  #row(node: Node): Row[] {
    if (!this.#isCompact) return [this.#plainRow(node)];
    const nodes = node.region === undefined ? undefined : this.#regions.get(node.region)!;
    const parts = nodes && regionParts(nodes);
    if (nodes && parts) return parts.op === node ? [this.#regionRow(parts)] : [];
    const isBoundary = node.op === "QuantizeLinear" || node.op === "DequantizeLinear";
    if (isBoundary && node.region === undefined && Object.keys(node.attributes).length === 0) {
      const quantizes = node.op === "QuantizeLinear";
      const [value, codes] = quantizes
        ? [node.inputs[0]!, node.outputs[0]!]
        : [node.outputs[0]!, node.inputs[0]!];
      const [scale, zero, dtype] = this.#parameters(node, codes);
      if (dtype !== undefined)
        return [
          [
            BOUNDARY,
            node.op,
            this.#string(node.name),
            this.#value(value),
            this.#value(codes),
            scale,
            zero,
            dtype,
          ],
        ];
    }
    return [this.#plainRow(node)];
  }

  #plainRow(node: Node): Row {
    const [inputs, outputs] = [node.inputs, node.outputs].map((names) =>
      names.map((name) => this.#value(name)),
    );
    const row = [PLAIN, node.op, this.#string(node.name), sorted(node.attributes), inputs, outputs];
    return node.region === undefined ? row : [...row, this.#string(node.region)];
  }

  #regionRow({ op, activation, quantize, dequantized }: RegionParts): Row {
    const scales: (Tensor | undefined)[] = [];
    const operands = op.inputs.map((input): Operand => {
      const node = dequantized.get(input);
      if (!node) return this.#value(input);
      const codes = node.inputs[0]!;
      const own = this.#graph.constants.get(node.inputs[1]!);
      const [zero, dtype] = this.#zero(node, codes);
      const derived = scales.length === 2 && own && sameElements(own, productOf(scales[0], scales[1]));
      const scale = derived ? null : this.#scale(node);
      scales.push(own);
      const { axis = null } = node.attributes as { axis?: number };
      const isPlain = dtype === undefined || dtype === "u8";
      if (!isPlain) return [this.#value(codes), scale, zero, axis, dtype];
      return axis === null ? [this.#value(codes), scale, zero] : [this.#value(codes), scale, zero, axis];
    });
    const result = quantize
      ? [this.#value(quantize.outputs[0]!), ...this.#parameters(quantize, quantize.outputs[0]!)]
      : this.#value((activation ?? op).outputs[0]!);
    const row = [REGION, op.op, this.#string(op.name), sorted(op.attributes), operands, result];
    if (!activation) return row;
    return [...row, [activation.op, this.#string(activation.name), sorted(activation.attributes)]];
  }

  #parameters(node: Node, codes: string): [Reference, Reference, DType | undefined] {
    return [this.#scale(node), ...this.#zero(node, codes)];
  }

  #scale({ inputs: [, name = ""] }: Node): Reference {
    const scale = this.#graph.constants.get(name);
    const isNumber =
      scale && scale.shape.length === 0 && scale.dtype === "f32" && Number.isFinite(scale.data[0]);
    return isNumber ? scale.data[0]! : [this.#value(name)];
  }

  /** Zero point of a node, and the type of activation codes, which is that of their zero point. */
  #zero({ inputs: [, scaleName = "", name = ""] }: Node, codes: string): [Reference, DType | undefined] {
    const { constants } = this.#graph;
    const [scale, zero, weights] = [constants.get(scaleName), constants.get(name), constants.get(codes)];
    const isFill =
      zero !== undefined &&
      scale !== undefined &&
      `${zero.shape}` === `${scale.shape}` &&
      zero.data.length > 0 &&
      zero.dtype !== "f32" &&
      zero.data.every((z) => z === zero.data[0]) &&
      (weights === undefined || weights.dtype === zero.dtype);
    const reference = name === "" ? null : isFill ? zero.data[0]! : ([this.#value(name)] as const);
    return [reference, weights === undefined ? zero?.dtype : undefined];
  }
}

/** By name, so that equal attributes are equal text. */
const sorted = (attributes: Node["attributes"]) =>
  Object.fromEntries(
    Object.entries(attributes)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => [name, Array.isArray(value) ? value.map(written) : written(value)]),
  );

/** A number that JSON has not (an infinity, NaN, −0) as an object with its text. */
const written = (value: unknown): unknown =>
  typeof value !== "number" || (Number.isFinite(value) && !Object.is(value, -0))
    ? value
    : { number: Object.is(value, -0) ? "-0" : `${value}` };

/** The number that `written` wrote, or what else there is. */
const asWritten = (value: unknown): unknown => {
  const isObject = typeof value === "object" && value !== null && "number" in value;
  const text = isObject ? value.number : undefined;
  return typeof text === "string" && /^(-?Infinity|NaN|-0)$/.test(text) ? Number(text) : value;
};

/** With its fields in one order. */
const inOrder = ({ layout, scale, mean, std }: Preprocessing): Preprocessing => ({
  layout,
  scale,
  mean,
  std,
});

interface RegionParts {
  readonly op: Node;
  readonly activation?: Node;
  readonly quantize?: Node;
  /** DequantizeLinear by the value it makes. */
  readonly dequantized: ReadonlyMap<string, Node>;
}

/** The parts of a region that is all a row can say; undefined where it is more. */
function regionParts(nodes: readonly Node[]): RegionParts | undefined {
  const dequantized = new Map<string, Node>();
  let quantize: Node | undefined;
  const ops: Node[] = [];
  for (const node of nodes) {
    const names = Object.keys(node.attributes);
    if (node.op === "DequantizeLinear") {
      if (names.some((name) => name !== "axis") || node.inputs[1] === "") return undefined;
      dequantized.set(node.outputs[0]!, node);
    } else if (node.op === "QuantizeLinear") {
      if (quantize || names.length > 0 || node.inputs.length < 3) return undefined;
      quantize = node;
    } else ops.push(node);
  }
  const [op, activation, ...more] = ops;
  if (!op || more.length > 0 || op.outputs.length !== 1 || op.region !== op.name) return undefined;
  if (activation && (activation.inputs.length !== 1 || activation.inputs[0] !== op.outputs[0]))
    return undefined;
  const read = op.inputs.filter((input) => dequantized.has(input));
  if (new Set(read).size !== dequantized.size) return undefined;
  return { op, dequantized, ...(activation ? { activation } : {}), ...(quantize ? { quantize } : {}) };
}

/** f32(sx · sw[c]): the scale of a bias. */
function productOf(x: Tensor | undefined, w: Tensor | undefined): Tensor | undefined {
  if (!x || !w || x.data.length !== 1) return undefined;
  return {
    dtype: "f32",
    shape: w.shape,
    data: Float32Array.from(w.data, (s) => Math.fround(x.data[0]! * s)),
  };
}

const sameElements = (a: Tensor, b: Tensor | undefined) =>
  b !== undefined &&
  a.dtype === b.dtype &&
  `${a.shape}` === `${b.shape}` &&
  a.data.every((v, i) => Object.is(v, b.data[i]));

/** The graph of a JSON text and its tensors. Throws FormatError where any part of it is not what it should be. */
export function decodeGraph(
  json: unknown,
  tensors: ReadonlyMap<string, Tensor>,
  provenance: Readonly<Record<string, unknown>>,
  where: string,
): Graph {
  return new Decoder(json, tensors, where).decode(provenance);
}

class Decoder {
  readonly #header: Record<string, unknown>;
  readonly #strings: readonly string[];
  readonly #constants: Map<string, Tensor>;
  readonly #where: string;
  #madeElements = 0;

  constructor(json: unknown, tensors: ReadonlyMap<string, Tensor>, where: string) {
    this.#where = where;
    this.#header = this.#object(json, "it");
    this.#strings = this.#list(this.#header.strings, "strings").map((s) => this.#text(s, "a name"));
    this.#constants = new Map(tensors);
  }

  decode(provenance: Readonly<Record<string, unknown>>): Graph {
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
    const { layout, scale, mean, std } = this.#object(value, "preprocessing");
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
    const scales: (Tensor | undefined)[] = [];
    const made = new Set<string>();
    const read = this.#list(operands, "operands");
    if (read.length > MAX_NODES) this.#fail("a region reads too much", read.length);
    const inputs = read.map((operand) => {
      if (!Array.isArray(operand)) return this.#name(operand);
      const [index, scale, zero, axis = null, dtype = "u8"] = operand as readonly unknown[];
      const codes = this.#name(index);
      if (scale === null) this.#make(scales[1]?.data.length ?? 0);
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

/** A value in a few words; what it holds may be nested beyond what JSON.stringify takes. */
function brief(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return (JSON.stringify(value) ?? "nothing").slice(0, 100);
}
