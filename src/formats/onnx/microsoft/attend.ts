// What ONNX Runtime's forms of attention have in common: masks as numbers that are added, products of heads, angles of positions.

import type { Attribute } from "../../../graph/graph";
import type { Parts } from "../parts";
import type { Source } from "../source";

/** Operands of an Attention, [batch, tokens, heads·size], and what it writes; "" where there is none. */
export interface Attending {
  readonly operands: readonly [q: string, k: string, v: string];
  readonly heads: number;
  readonly groups: number;
  readonly mask: string;
  readonly past: readonly [k: string, v: string];
  readonly present: readonly [k: string, v: string];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** The number of heads, which a node must say. */
export function headsOf(source: Source, name: "num_heads" | "kv_num_heads"): number {
  const heads = source.int(name, 0);
  if (heads >= 1) return heads;
  throw source.error(`attribute ${name} does not fit`, { expected: "1 or more", got: `${heads}` });
}

/** The scale of scores, where a node has one: 0 is the default, too. */
export function scaleOf(source: Source): Readonly<Record<string, Attribute>> {
  const scale = source.attribute("scale") ?? 0;
  return scale === 0 ? {} : { scale };
}

/** The node itself, as ONNX's Attention. */
export function attend(parts: Parts, [y = ""]: readonly string[], own: Attending) {
  const { operands, heads, groups, mask, past, present, attributes } = own;
  const inputs = [...operands, mask, ...past];
  while (inputs.at(-1) === "") inputs.pop();
  const outputs = present.some((name) => name !== "") ? [y, ...present] : [y];
  const counts = { q_num_heads: heads, kv_num_heads: groups };
  return parts.last("Attention", inputs, { ...counts, ...attributes }, outputs);
}

/** A dimension of a value, as a number that a run knows. */
export const sizeOf = (parts: Parts, what: string, value: string, axis: number): string =>
  parts.make(
    "Gather",
    what,
    [parts.make("Shape", `${what}_shape`, [value]), parts.scalar(`${what}_axis`, "i32", axis)],
    {
      axis: 0,
    },
  );

/** 0 … n − 1, without a step that finds how many there are. */
export function countedTo(parts: Parts, what: string, n: string): string {
  const shape = parts.make("Unsqueeze", `${what}_shape`, [n], { axes: [0] });
  const ones = parts.make("ConstantOfShape", `${what}_ones`, [shape], { dtype: "i32", value: 1 });
  return parts.make("CumSum", what, [ones, parts.scalar(`${what}_axis`, "i32", 0)], { exclusive: 1 });
}

/** Numbers of all keys, those of `past` [batch, heads, tokens, size] and of `k` [batch, tokens, …]. */
export function keyPositions(parts: Parts, k: string, past: string): string {
  const own = sizeOf(parts, "own_keys", k, 1);
  const all = past === "" ? own : parts.make("Add", "keys", [own, sizeOf(parts, "past_keys", past, 2)]);
  return countedTo(parts, "key_positions", all);
}

/**
 * What is added to scores: `filter` where a mask is 0. It has one number a key, [batch, keys], or one a query and key; or it is the number
 * of keys of each of the batch.
 */
export function maskOf(source: Source, parts: Parts, mask: string, keys: () => string): string {
  if (mask === "") return "";
  const filter = Number(source.attribute("mask_filter_value") ?? -10_000);
  const rank = source.rank(mask) ?? 2;
  const seen =
    rank === 1
      ? parts.make("Less", "within", [keys(), parts.make("Unsqueeze", "lengths", [mask], { axes: [1] })])
      : parts.make("Greater", "seen", [mask, parts.scalar("unseen", "i32", 0)]);
  const numbers = [parts.scalar("nothing", "f32", 0), parts.scalar("filter", "f32", filter)];
  const added = parts.make("Where", "mask", [seen, ...numbers]);
  return parts.make("Unsqueeze", "mask_of_heads", [added], { axes: rank === 3 ? [1] : [1, 2] });
}

/** The sum of what is there. */
export function sumOf(parts: Parts, what: string, terms: readonly string[]): string {
  const [first = "", ...more] = terms.filter((term) => term !== "");
  return more.reduce((sum, term, i) => parts.make("Add", `${what}_${i}`, [sum, term]), first);
}

/** Reads caches that ONNX Runtime writes in place as typed errors. */
export function refuseShared(source: Source): void {
  for (const name of ["past_present_share_buffer", "do_rotary"])
    if (source.int(name, 0) !== 0)
      throw source.error(`attribute ${name} does not fit`, { expected: "0", got: `${source.int(name, 0)}` });
}
