// One node of an ONNX file as a conversion sees it: its attributes by kind, and the node it becomes.

import { OctetteError } from "../../errors";
import type { Attribute, Node } from "../../graph/graph";
import type { Tensor } from "../../graph/tensor";
import { type NodeProto, toTensor } from "./proto";

/** What a conversion may ask of the file around its node. */
export interface Surroundings {
  /** Opset version of the node's domain. */
  readonly opset: number;
  /** A name no node and no value of the graph has yet, which from now on is taken. */
  fresh(wanted: string): string;
  /** Elements of an initializer or Constant. */
  constant(value: string): Tensor | undefined;
}

/** Nodes that stand for one node of the file. The last one makes its output. */
export type Conversion = (source: Source) => readonly Node[];

type Parts = Partial<Pick<Node, "op" | "name" | "inputs" | "outputs">>;

export class Source {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly opset: number;
  readonly fresh: Surroundings["fresh"];
  readonly constant: Surroundings["constant"];
  readonly #proto: NodeProto;

  constructor(
    proto: NodeProto,
    /** Unique in the graph. */
    readonly name: string,
    around: Surroundings,
  ) {
    this.#proto = proto;
    this.op = proto.opType;
    this.inputs = withoutEmptyTail(proto.inputs);
    this.outputs = withoutEmptyTail(proto.outputs);
    this.opset = around.opset;
    this.fresh = around.fresh;
    this.constant = around.constant;
  }

  /** A node with this one's name, inputs and outputs where `parts` does not say otherwise. */
  node(attributes: Node["attributes"] = {}, parts: Parts = {}): Node {
    return { op: this.op, name: this.name, inputs: this.inputs, outputs: this.outputs, ...parts, attributes };
  }

  /** The attributes named in `kept`. Those in `dropped` say nothing to a runtime; any other is an error. */
  attributes(kept: readonly string[], dropped: readonly string[] = []): Record<string, Attribute> {
    const attributes: Record<string, Attribute> = {};
    for (const [name, attribute] of this.#proto.attributes) {
      if (dropped.includes(name)) continue;
      if (!kept.includes(name))
        throw this.error(`attribute ${name} is unknown`, { expected: kept.join(", ") || "no attributes" });
      switch (attribute.kind) {
        case "float":
        case "int":
        case "string":
        case "floats":
        case "ints":
        case "strings":
          attributes[name] = attribute.value;
          break;
        default:
          throw this.error(`attribute ${name} holds what octette has no use for`, { got: attribute.kind });
      }
    }
    return attributes;
  }

  /** An integer attribute. */
  int(name: string, otherwise: number): number {
    const attribute = this.#proto.attributes.get(name);
    if (!attribute) return otherwise;
    if (attribute.kind !== "int")
      throw this.error(`attribute ${name} does not fit`, { expected: "int", got: attribute.kind });
    return attribute.value;
  }

  /** A tensor attribute. */
  tensor(name: string): Tensor | undefined {
    const attribute = this.#proto.attributes.get(name);
    if (!attribute) return undefined;
    if (attribute.kind !== "tensor")
      throw this.error(`attribute ${name} does not fit`, { expected: "tensor", got: attribute.kind });
    return toTensor(attribute.value);
  }

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
