// The constants of an ONNX graph: initializers and Constant nodes.

import { OctetteError } from "../../errors";
import { type Tensor, tensor } from "../../graph/tensor";
import { saturateToI32 } from "../elements";
import { type GraphProto, kindOf, type NodeProto, type StoredKind, toTensor } from "./proto";

export const isOnnx = (domain: string) => domain === "" || domain === "ai.onnx";

export const isConstant = ({ opType, domain }: NodeProto) => opType === "Constant" && isOnnx(domain);

/** Initializers and Constant nodes of a graph and of those around it, decoded when first asked for. */
export interface Constants {
  has(name: string): boolean;
  constant(name: string): Tensor | undefined;
  kind(name: string): StoredKind;
  among(used: ReadonlySet<string>): Map<string, Tensor>;
}

export function readConstants(graph: GraphProto, where: string, around?: Constants): Constants {
  const read = new Map<string, () => Tensor>();
  const kinds = new Map<string, StoredKind>();
  const define = (name: string, make: () => Tensor, kind: StoredKind) => {
    if (read.has(name))
      throw new OctetteError(`constant "${name}" is defined twice`, { code: "graph", where });
    kinds.set(name, kind);
    let made: Tensor | undefined;
    read.set(name, () => (made ??= make()));
  };
  for (const proto of graph.initializers) define(proto.name, () => toTensor(proto), kindOf(proto.dataType));
  for (const node of graph.nodes)
    if (isConstant(node)) define(node.outputs[0] ?? "", () => constantTensor(node), constantKind(node));
  const own = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const above = (name: string) => (own.has(name) ? undefined : around);
  const constant = (name: string): Tensor | undefined => read.get(name)?.() ?? above(name)?.constant(name);
  return {
    has: (name) => read.has(name) || above(name)?.has(name) === true,
    constant,
    kind: (name) => kinds.get(name) ?? above(name)?.kind(name),
    among(used) {
      const names = [...read.keys()].filter((name) => used.has(name));
      const all = new Set([...names, ...(around ? used : [])]);
      return new Map([...all].map((name) => [name, constant(name)!] as const).filter(([, known]) => known));
    },
  };
}

/** How the number that a Constant node is would be stored in a tensor. */
function constantKind({ attributes }: NodeProto): StoredKind {
  const [attribute] = attributes.values();
  if (attribute?.kind === "tensor") return kindOf(attribute.value.dataType);
  return attribute?.kind === "int" || attribute?.kind === "ints" ? "i64" : "f32";
}

/** Value of a Constant node. */
function constantTensor(node: NodeProto): Tensor {
  const [attribute, second] = node.attributes.values();
  if (second)
    throw new OctetteError("a constant of two values", {
      code: "graph",
      where: `Constant "${node.name || node.outputs[0]}"`,
      got: [...node.attributes.keys()].join(", "),
    });
  switch (attribute?.kind) {
    case "tensor":
      return toTensor(attribute.value);
    case "float":
      return tensor("f32", [], [attribute.value]);
    case "int":
      return tensor("i32", [], [saturateToI32(attribute.value)]);
    case "floats":
      return tensor("f32", [attribute.value.length], attribute.value);
    case "ints":
      return tensor("i32", [attribute.value.length], attribute.value.map(saturateToI32));
    default:
      throw new OctetteError("a constant that is neither numbers nor a dense tensor", {
        code: "unsupported",
        where: `Constant "${node.name || node.outputs[0]}"`,
        got: attribute ? attribute.kind : "no attribute",
      });
  }
}
