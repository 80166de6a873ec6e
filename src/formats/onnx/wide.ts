// Integers beyond i32, which are saturated when they are read. Exporters write the largest int64 for "to the end": Slice
// takes the same part then, and Min finds the same minimum beside a number that is held. For anything else, a saturated
// integer is another number.

import { OctetteError } from "../../errors";
import type { Tensor } from "../../graph/tensor";
import { I32_MAX, I32_MIN } from "../elements";
import { partial } from "./convert-types";
import { type GraphProto, INT64, kindOf, type NodeProto, type StoredKind, toTensor } from "./proto";
import type { Surroundings } from "./source";

/** Ends of i32 that stand among the elements of a value for what may be beyond them. */
type Ends = readonly number[];

/** Kinds of integers of which i32 has not all. */
const wideKinds: readonly unknown[] = ["i64", "u64", "u32"];

/** The ends among the elements of a tensor. */
const endsIn = ({ data }: Tensor): Ends => [I32_MIN, I32_MAX].filter((end) => data.includes(end));

/** Operators whose output is elements of these inputs. */
const moves: Readonly<Record<string, readonly number[]>> = {
  Expand: [0],
  Flatten: [0],
  Gather: [0],
  Identity: [0],
  Reshape: [0],
  Slice: [0],
  Split: [0],
  Squeeze: [0],
  Transpose: [0],
  Unsqueeze: [0],
  Where: [1, 2],
};

function isMove({ opType, attributes }: NodeProto, input: number): boolean {
  const to = attributes.get("to");
  if (opType === "Cast") return to?.kind === "int" && to.value === INT64;
  return opType === "Concat" || (moves[opType]?.includes(input) ?? false);
}

/** Operators that make integers which none of their inputs holds. */
const computing = new Set([
  ...["Add", "Div", "Mod", "Mul", "Neg", "Range", "Sub", "Sum"],
  ...["CumProd", "CumSum", "ReduceL1", "ReduceProd", "ReduceSum", "ReduceSumSquare"],
  ...["BitShift", "BitwiseNot", "Pow"],
]);

/** How a file stores a value, and the ends of i32 in it. */
interface Held {
  readonly kind: StoredKind;
  readonly ends: Ends;
}

/** What is known of the values of a graph. */
export type HeldIn = (value: string) => Held;

/**
 * Throws where anything but `bounds` reads an integer that is not held as it is, and where integers are computed of
 * a kind that wraps before i32 does, or beyond it. Gives what it knows of the graph's values; `around` knows those of the graph around.
 */
export function rejectWide(
  graph: GraphProto,
  { constant, kind }: Pick<Surroundings, "constant" | "kind">,
  around?: HeldIn,
): HeldIn {
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const known = new Map<string, Held>();
  for (const { name, elemType } of graph.inputs)
    if (elemType !== undefined && kind(name) === undefined)
      known.set(name, { kind: kindOf(elemType), ends: [] });
  const of = (value: string): Held => {
    let held = known.get(value);
    if (!held) {
      const own = kind(value);
      if (around && own === undefined && !made.has(value)) return around(value);
      held = { kind: own, ends: wideKinds.includes(own) ? endsIn(constant(value)!) : [] };
      known.set(value, held);
    }
    return held;
  };
  for (const node of graph.nodes) {
    if (node.opType === "Constant") continue;
    const inputs = node.inputs.map(of);
    const ends = endsOf(node, inputs);
    const own = kindMade(node, inputs);
    for (const [i, output] of node.outputs.entries()) {
      const is = kindOfResult(node, i) ?? own;
      if (ends.length > 0 || partial.has(is))
        known.set(output, { kind: partial.has(is) ? is : kind(output), ends });
    }
  }
  for (const { name } of graph.outputs)
    if (of(name).ends.length > 0) throw beyond("the graph's outputs", name);
  return of;
}

/** The kind that a graph of a node says it makes. The body of a Loop makes its condition first. */
function kindOfResult({ opType, attributes }: NodeProto, i: number): StoredKind {
  for (const attribute of attributes.values())
    if (attribute.kind === "graph") {
      const elemType = attribute.value.outputs[opType === "Loop" ? i + 1 : i]?.elemType;
      return elemType === undefined ? undefined : kindOf(elemType);
    }
  return undefined;
}

/** Ends in a node's outputs. */
function endsOf(node: NodeProto, inputs: readonly Held[]): Ends {
  const filled = endsOfFilling(node);
  const all = new Set([...inputs.flatMap(({ ends }) => ends), ...filled]);
  if (all.size === 0 || isBesideOthers(node, inputs)) return [];
  const isRead = ({ ends }: Held, i: number) => ends.length > 0 && !isBound(node, i);
  const wrong = inputs.findIndex((held, i) => isRead(held, i) && !isMove(node, i));
  if (wrong >= 0) throw beyond(`${node.opType} "${node.name}"`, node.inputs[wrong]!);
  return filled.length > 0 || inputs.some(isRead) ? [...all] : [];
}

/** The kind of integers that a Cast or what moves integers makes. */
function kindMade(node: NodeProto, inputs: readonly Held[]): StoredKind {
  const at = inputs.findIndex(({ kind }) => partial.has(kind));
  const held = inputs[at]?.kind;
  if (held !== undefined && computing.has(node.opType))
    throw new OctetteError(
      `"${node.inputs[at]}" holds integers of a type that octette does not compute with`,
      {
        code: "unsupported",
        where: `${node.opType} "${node.name}"`,
        expected: "int32, or int64 within 32 bits",
        got: `${held}`,
        hint: "Cast it to int64 or to a float before",
      },
    );
  const to = node.opType === "Cast" ? node.attributes.get("to") : undefined;
  if (to?.kind === "int") return kindOf(to.value);
  if (node.opType === "CastLike") return inputs[1]?.kind;
  const isKept = at >= 0 && (isMove(node, at) || node.opType === "Max" || node.opType === "Min");
  return isKept ? held : undefined;
}

/** Ends in the attribute that a ConstantOfShape repeats. */
function endsOfFilling({ opType, attributes }: NodeProto): Ends {
  const value = opType === "ConstantOfShape" ? attributes.get("value") : undefined;
  return value?.kind === "tensor" && wideKinds.includes(kindOf(value.value.dataType))
    ? endsIn(toTensor(value.value))
    : [];
}

/** Whether the largest integers meet others in a Min, or the smallest in a Max. */
function isBesideOthers({ opType }: NodeProto, inputs: readonly Held[]): boolean {
  const idle = opType === "Min" ? I32_MAX : opType === "Max" ? I32_MIN : undefined;
  const others = inputs.some(({ ends }) => ends.length === 0);
  return idle !== undefined && others && inputs.every(({ ends }) => ends.every((end) => end === idle));
}

/** Inputs of which the largest integer says "no bound". */
const bounds: Readonly<Record<string, readonly number[]>> = {
  Loop: [0],
  NonMaxSuppression: [2],
  Slice: [1, 2],
};

const isBound = ({ opType }: NodeProto, input: number) => bounds[opType]?.includes(input) ?? false;

const beyond = (where: string, value: string) =>
  new OctetteError(`"${value}" holds integers beyond 32 bits`, {
    code: "unsupported",
    where,
    expected: `more than ${I32_MIN} and less than ${I32_MAX}: int64 becomes i32`,
    hint: "Compute with smaller integers, or in float",
  });
