// Integers beyond i32, which are saturated when they are read. Exporters write the largest int64 for "to the end": Slice
// takes the same part then, and Min finds the same minimum beside a number that is held. For anything else, a saturated
// integer is another number.

import { OctetteError } from "../../errors";
import type { Tensor } from "../../graph/tensor";
import { I32_MAX, I32_MIN } from "../elements";
import { partial } from "./convert-types";
import { INT64, kindOf, type ModelProto, type NodeProto, type StoredKind, toTensor } from "./proto";
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

/** Throws where anything but the bounds of a Slice reads an integer that is not held as it is. */
export function rejectWide({ graph }: ModelProto, constants: Pick<Surroundings, "constant" | "kind">): void {
  const known = new Map<string, Ends>();
  const of = (value: string): Ends => {
    const found = known.get(value);
    if (found) return found;
    const ends = wideKinds.includes(constants.kind(value)) ? endsIn(constants.constant(value)!) : [];
    known.set(value, ends);
    return ends;
  };
  for (const node of graph.nodes) {
    if (node.opType === "Constant") continue;
    const inputs = node.inputs.map(of);
    const filled = endsOfFilling(node);
    const all = new Set([...inputs.flat(), ...filled]);
    if (all.size === 0 || isBesideOthers(node, inputs)) continue;
    const isRead = (ends: Ends, i: number) => ends.length > 0 && !isBound(node, i);
    const wrong = inputs.findIndex((ends, i) => isRead(ends, i) && !isMove(node, i));
    if (wrong >= 0) throw beyond(`${node.opType} "${node.name}"`, node.inputs[wrong]!);
    if (filled.length > 0 || inputs.some(isRead))
      for (const output of node.outputs) known.set(output, [...all]);
  }
  for (const { name } of graph.outputs) if (of(name).length > 0) throw beyond("the graph's outputs", name);
}

/** Operators that make integers which none of their inputs holds. */
const computing = new Set(["Add", "Div", "Mod", "Mul", "Neg", "Range", "ReduceProd", "Sub", "Sum"]);

/** Throws where integers are computed of a kind that wraps before i32 does, or beyond it. */
export function rejectPartial({ graph }: ModelProto, { kind }: Pick<Surroundings, "kind">): void {
  const moved = new Map<string, StoredKind>();
  const of = (value: string) => moved.get(value) ?? kind(value);
  for (const node of graph.nodes) {
    const at = node.inputs.findIndex((name) => partial.has(of(name)));
    const input = node.inputs[at];
    if (input !== undefined && computing.has(node.opType))
      throw new OctetteError(`"${input}" holds integers of a type that octette does not compute with`, {
        code: "unsupported",
        where: `${node.opType} "${node.name}"`,
        expected: "int32, or int64 within 32 bits",
        got: `${of(input)}`,
        hint: "Cast it to int64 or to a float before",
      });
    const to = node.opType === "Cast" ? node.attributes.get("to") : undefined;
    const isKept =
      input !== undefined && (isMove(node, at) || node.opType === "Max" || node.opType === "Min");
    const made = to?.kind === "int" ? kindOf(to.value) : isKept ? of(input) : undefined;
    if (partial.has(made)) for (const output of node.outputs) moved.set(output, made);
  }
}

/** Ends in the attribute that a ConstantOfShape repeats. */
function endsOfFilling({ opType, attributes }: NodeProto): Ends {
  const value = opType === "ConstantOfShape" ? attributes.get("value") : undefined;
  return value?.kind === "tensor" && wideKinds.includes(kindOf(value.value.dataType))
    ? endsIn(toTensor(value.value))
    : [];
}

/** Whether the largest integers meet others in a Min, or the smallest in a Max. */
function isBesideOthers({ opType }: NodeProto, inputs: readonly Ends[]): boolean {
  const idle = opType === "Min" ? I32_MAX : opType === "Max" ? I32_MIN : undefined;
  const others = inputs.some((ends) => ends.length === 0);
  return idle !== undefined && others && inputs.flat().every((end) => end === idle);
}

const isBound = ({ opType }: NodeProto, input: number) => opType === "Slice" && (input === 1 || input === 2);

const beyond = (where: string, value: string) =>
  new OctetteError(`"${value}" holds integers beyond 32 bits`, {
    code: "unsupported",
    where,
    expected: `more than ${I32_MIN} and less than ${I32_MAX}: int64 becomes i32`,
    hint: "Only as bounds of a Slice do they mean no bound: compute with smaller integers, or in float",
  });
