// A graph written as compact rows (graph-rows.ts), or plainly where its names would not come back from those.

import { OctetteError } from "../errors";
import { type Graph, type Node, regionsOf } from "../graph/graph";
import type { DType, Tensor } from "../graph/tensor";
import { verify } from "../graph/verify";
import { decodeGraph } from "./decode-graph";
import {
  BOUNDARY,
  type Index,
  inOrder,
  type Operand,
  PLAIN,
  productOf,
  REGION,
  type Reference,
  type Row,
  sameElements,
  written,
} from "./graph-rows";

export interface Encoded {
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
  readonly #regions: ReadonlyMap<string, readonly Node[]>;

  constructor(graph: Graph, isCompact: boolean) {
    this.#graph = graph;
    this.#isCompact = isCompact;
    this.#regions = regionsOf(graph);
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
      strings: [] as readonly string[],
    };
    const tensors = new Map<string, Tensor>();
    for (const constant of this.#named) {
      const { dtype, shape, data } = constants.get(constant)!;
      const isScalar = data.length === 1 && Number.isFinite(data[0]) && !Object.is(data[0], -0);
      if (isScalar) header.scalars.push([this.#value(constant), dtype, shape, data[0]]);
      else tensors.set(constant, constants.get(constant)!);
    }
    header.strings = [...this.#strings.keys()];
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
