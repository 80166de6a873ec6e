// The ways back that many ops share: as they are, under another name, with inputs of other kinds.

import { OctetteError } from "../../errors";
import type { Attribute, Node } from "../../graph/graph";
import type { Dim } from "../../graph/symbols";
import { tensor } from "../../graph/tensor";
import type { Target, Way } from "./target";
import type { WrittenKind } from "./write-proto";

/** How the numbers of an input are written: as those of the first input, and as a scalar. */
export interface InputForm {
  readonly kind?: WrittenKind | "as the first";
  readonly isScalar?: boolean;
}

export interface SameOptions {
  /** The operator, where it is not the op's name. */
  readonly op?: string;
  /** The first version that has it, where that is not there in all that are written. */
  readonly opset?: number;
  /** Of inputs, by their index: int64 where nothing is said. */
  readonly forms?: Readonly<Record<number, InputForm>>;
  /** Attributes that take the place of the node's; undefined leaves one out. */
  readonly attributes?: Readonly<Record<string, Attribute | undefined>>;
}

/** The operator with the inputs and attributes of the node; attributes that are inputs in a file become inputs again. */
export function writeSame(node: Node, target: Target, options: SameOptions = {}): void {
  const { op = node.op, opset, forms = {}, attributes: other = {} } = options;
  if (opset !== undefined) target.needs(opset);
  const parameters = target.parametersOf(node.op);
  const attributes = { ...node.attributes, ...other };
  const inputs = node.inputs.map((value) => target.operand(value));
  for (const [i, name] of Object.entries(parameters)) {
    const at = Number(i);
    if (attributes[name] === undefined) continue;
    while (inputs.length < at) inputs.push("");
    inputs[at] = parameter(node, target, attributes[name], forms[at] ?? {});
  }
  const hidden = new Set([...Object.values(parameters), "found"]);
  const written = Object.entries(attributes).filter(
    ([name, value]) => !hidden.has(name) && value !== undefined,
  );
  target.write(node, op, inputs, Object.fromEntries(written as [string, Attribute][]));
}

/** The input that a known parameter is. */
function parameter(
  node: Node,
  target: Target,
  value: Attribute,
  { kind = "i64", isScalar }: InputForm,
): string {
  const dims = (Array.isArray(value) ? value : [value]) as readonly Dim[];
  const isVector = Array.isArray(value) && !isScalar;
  const shape = isVector ? [dims.length] : [];
  const { dtype } = kind === "as the first" ? target.type(node.inputs[0]!) : { dtype: kind };
  if (dtype === "i64" || dtype === "i32" || dims.some((dim) => typeof dim === "string"))
    return target.sizes.dims(dims, shape);
  const held = tensor(dtype === "i4" ? "i8" : dtype, shape, dims as readonly number[]);
  return target.shared(`${dtype} ${dims} [${shape}]`, "number", held);
}

/** The same operator, with the inputs and attributes it has. */
export const asItIs: Way = (node, target) => writeSame(node, target);

// @__NO_SIDE_EFFECTS__
export const as =
  (options: SameOptions): Way =>
  (node, target) =>
    writeSame(node, target, options);

/** An error of a node that ONNX has no operators for. */
export const unwritten = (node: Node, what: string, expected?: string) =>
  new OctetteError(what, {
    code: "unsupported",
    where: `${node.op} "${node.name}"`,
    ...(expected !== undefined && { expected }),
    hint: "ONNX has no operator for it: cut the model before this node",
  });
