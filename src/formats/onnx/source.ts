// One node of an ONNX file as a conversion sees it: its attributes by kind, and the node it becomes.

import { OctetteError } from "../../errors";
import type { Attribute, Graph, Node } from "../../graph/graph";
import type { DType, Tensor } from "../../graph/tensor";
import { dataTypeName, dtypeOf, type GraphProto, type NodeProto, type StoredKind, toTensor } from "./proto";

/** A part of a sequence: one element, the slices of a tensor along an axis, or what a loop's body is given. */
export type Piece =
  | {
      readonly element: string;
      /** A bool value: without it, the element is always there. */
      readonly when?: string;
    }
  | {
      readonly stack: string;
      readonly axis: number;
      /** Whether elements have the axis, of length 1. */
      readonly isKept?: boolean;
    }
  /** The elements that the iterations before made. */
  | { readonly before: object };

/** Values one after another, which the nodes that read them make. */
export type Sequence = readonly Piece[];

/** What a conversion may ask of the file around its node. */
export interface Surroundings {
  /** Opset version of the node's domain. */
  readonly opset: number;
  /** A name no node and no value of the graph has yet, which from now on is taken. */
  fresh(wanted: string): string;
  /** Elements of an initializer or Constant. */
  constant(value: string): Tensor | undefined;
  /** How its file stores them. */
  kind(value: string): StoredKind;
  /** Adds a constant; returns its name, which is `wanted` or one like it. */
  define(wanted: string, value: Tensor): string;
  /** Sequences by their names. */
  readonly sequences: Map<string, Sequence>;
  /** How many dimensions the file says that a value has. It may be wrong: what is made of it must not fit then. */
  rank(value: string): number | undefined;
  /**
   * A graph of the node, converted.
   * @internal
   */
  graph(proto: GraphProto, name: string, enter?: (inputs: readonly string[]) => void): Subgraph;
}

/** A graph of a node. */
export interface Subgraph extends Omit<Graph, "inputs" | "provenance"> {
  /** Names of its own inputs, in their order. */
  readonly inputs: readonly string[];
  /** Values of the graphs around that it reads, constants aside, which it has as its own. */
  readonly captured: readonly string[];
  /** Values that it makes itself, constants included. */
  readonly makes: ReadonlySet<string>;
  /** The same graph with other inputs and outputs, and more nodes at its end. */
  ending(inputs: readonly string[], outputs: readonly string[], more: readonly Node[]): Subgraph;
}

/** Nodes that stand for one node of the file. The last one makes its output. */
export type Conversion = (source: Source) => readonly Node[];

/** By the operator in a file: "domain.Operator", or "Operator" of ONNX's own domain. */
export type Conversions = Readonly<Record<string, Conversion>>;

/** The same operator, with the attributes it has: those its op does not read are refused with it. */
export const same: Conversion = (source) => [source.node(source.attributes())];

/** What a node has in place of what its node in the file has. */
export type Parts = Partial<Pick<Node, "op" | "name" | "inputs" | "outputs">>;

/** A node of an ONNX file, which a conversion turns into nodes of a graph. */
export class Source {
  /** Unique in the graph. */
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly opset: number;
  /** As in Surroundings. */
  readonly fresh: Surroundings["fresh"];
  /** As in Surroundings. */
  readonly constant: Surroundings["constant"];
  /** As in Surroundings. */
  readonly kind: Surroundings["kind"];
  /** As in Surroundings. */
  readonly define: Surroundings["define"];
  /** As in Surroundings. */
  readonly rank: Surroundings["rank"];
  /** As in Surroundings. */
  readonly sequences: Surroundings["sequences"];
  readonly #around: Surroundings;
  readonly #proto: NodeProto;
  /** Attributes and inputs that a conversion looked at, or says it need not. */
  readonly #read = new Set<string>();

  /** @internal */
  constructor(proto: NodeProto, name: string, around: Surroundings) {
    this.name = name;
    this.#around = around;
    this.#proto = proto;
    this.op = proto.opType;
    this.inputs = withoutEmptyTail(proto.inputs);
    this.outputs = withoutEmptyTail(proto.outputs);
    this.opset = around.opset;
    this.fresh = around.fresh;
    this.constant = around.constant;
    this.kind = around.kind;
    this.define = around.define;
    this.rank = around.rank;
    this.sequences = around.sequences;
  }

  /** A node with this one's name, inputs and outputs where `parts` does not say otherwise. */
  node(attributes: Node["attributes"] = {}, parts: Parts = {}): Node {
    return { op: this.op, name: this.name, inputs: this.inputs, outputs: this.outputs, ...parts, attributes };
  }

  /** Attributes and inputs that say nothing to a runtime. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** Every attribute not looked at yet, for an op that says which ones it reads. */
  attributes(): Record<string, Attribute> {
    const names = [...this.#proto.attributes.keys()].filter((name) => !this.#read.has(name));
    return Object.fromEntries(names.map((name) => [name, this.attribute(name)!]));
  }

  /** An attribute of numbers or texts. */
  attribute(name: string): Attribute | undefined {
    this.#read.add(name);
    const attribute = this.#proto.attributes.get(name);
    if (!attribute) return undefined;
    switch (attribute.kind) {
      case "float":
      case "int":
      case "string":
      case "floats":
      case "ints":
      case "strings":
        return attribute.value;
      default:
        throw this.error(`attribute ${name} holds what octette has no use for`, { got: attribute.kind });
    }
  }

  /** An integer attribute. */
  int(name: string, otherwise: number): number {
    this.#read.add(name);
    const attribute = this.#proto.attributes.get(name);
    if (!attribute) return otherwise;
    if (attribute.kind !== "int")
      throw this.error(`attribute ${name} does not fit`, { expected: "int", got: attribute.kind });
    return attribute.value;
  }

  /** The dtype that an attribute names by its number in files; undefined where it names none. */
  dtype(name: string): DType | undefined {
    const dataType = this.int(name, 0);
    if (dataType === 0) return undefined;
    const dtype = dtypeOf(dataType);
    if (dtype) return dtype;
    throw this.error(`attribute ${name} names a type octette does not have`, { got: dataTypeName(dataType) });
  }

  /** A tensor attribute. */
  tensor(name: string): Tensor | undefined {
    this.#read.add(name);
    const attribute = this.#proto.attributes.get(name);
    if (!attribute) return undefined;
    if (attribute.kind !== "tensor")
      throw this.error(`attribute ${name} does not fit`, { expected: "tensor", got: attribute.kind });
    return toTensor(attribute.value);
  }

  /** A graph attribute, which has to be there. `enter` is given the names of its inputs before it is converted. */
  graph(name: string, enter?: (inputs: readonly string[]) => void): Subgraph {
    this.#read.add(name);
    const attribute = this.#proto.attributes.get(name);
    if (attribute?.kind === "graph")
      return this.#around.graph(attribute.value, `${this.name}_${name}`, enter);
    throw this.error(`attribute ${name} does not fit`, {
      expected: "graph",
      got: attribute?.kind ?? "nothing",
    });
  }

  /**
   * Checks that the nodes it became hold all it says.
   * @throws OctetteError "unsupported" that names an attribute or input nothing reads.
   */
  checkRead(nodes: readonly Node[]): void {
    const attribute = [...this.#proto.attributes.keys()].find((name) => !this.#read.has(name));
    if (attribute !== undefined) throw this.error(`attribute ${attribute} is unknown`);
    const read = new Set([...this.#read, ...nodes.flatMap((node) => node.inputs)]);
    const input = this.inputs.findIndex((name) => name !== "" && !read.has(name));
    if (input >= 0) throw this.error(`input ${input} is unknown`, { got: `"${this.inputs[input]}"` });
  }

  /** An error that names the node. */
  error(what: string, facts: { expected?: string; got?: string; hint?: string } = {}): OctetteError {
    return new OctetteError(what, {
      code: "unsupported",
      where: `${this.op} "${this.name}" (opset ${this.opset})`,
      ...facts,
    });
  }
}

/** Optional inputs left out at the end are not listed. */
function withoutEmptyTail(names: readonly string[]): readonly string[] {
  let length = names.length;
  while (length > 0 && names[length - 1] === "") length--;
  return names.slice(0, length);
}
