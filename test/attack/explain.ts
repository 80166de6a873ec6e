// Why octette and ONNX Runtime differ on a case: which node, and whether a named rule shows octette to be right there.

import { Random } from "../../src/graph/random";
import type { FileNode } from "../formats/onnx/model-file";
import type { Case } from "./builder";
import { compareCase, type Difference, differenceOf, type Outcome } from "./compare";
import { type Elements, isFloat } from "./elements";
import { above, inSingle, isolated, type Values, valuesOf } from "./isolate";
import type { Peer } from "./peer";
import { rules } from "./rules";
import type { Octette } from "./runs";

type Different = Extract<Outcome, { is: "different" | "untyped" }>;

export interface Reason {
  /** Name of the rule that explains it. */
  readonly rule?: string;
  readonly note: string;
  /** The smallest case that still differs. */
  readonly smallest?: Case;
}

type Attributes = Readonly<Record<string, number | string | readonly number[]>>;

/** Attributes without the marks that say how a file writes them. */
const plain = (node: FileNode): Attributes =>
  Object.fromEntries(
    Object.entries(node.attributes ?? {}).map(([name, value]) => {
      if (typeof value !== "object") return [name, value];
      const list =
        "float" in value
          ? value.float
          : "ints" in value
            ? value.ints
            : "floats" in value
              ? value.floats
              : value;
      return [name, list as number | readonly number[]];
    }),
  );

const factsOf = (one: Case, node: FileNode, values: Values) => ({
  node,
  inputs: (node.inputs ?? []).map((name) => (name === "" ? undefined : values.get(name))),
  attributes: plain(node),
  opset: one.opset,
});

/** The rule that explains a difference of a node. */
function ruleOf(
  one: Case,
  node: FileNode,
  values: Values,
  { output, got, want }: Difference,
): string | undefined {
  if (!got || !want) return undefined;
  const facts = { ...factsOf(one, node, values), got, want };
  for (const { name, ops, expected } of rules) {
    if (ops && !ops.includes(node.op)) continue;
    const right = expected(facts);
    if (right && !differenceOf(output, got, { ...right, type: want.type }, one.isHalf)) return name;
  }
  return undefined;
}

/** The rule by which a result of some node is left open by ONNX's text, whatever is made of it. */
function openRule(one: Case, nodes: readonly FileNode[], values: Values): string | undefined {
  for (const node of nodes)
    for (const { name, ops, isOpen } of rules)
      if (isOpen && (!ops || ops.includes(node.op)) && isOpen(factsOf(one, node, values))) return name;
  return undefined;
}

/** Feeds with each float moved by about its last bit but three, up or down as chance has it. */
function moved(one: Case, seed: number): Case {
  const random = new Random(seed);
  const feeds = Object.fromEntries(
    Object.entries(one.feeds).map(([name, elements]): [string, Elements] => {
      if (!isFloat(elements.type)) return [name, elements];
      const values = elements.values.map((v) =>
        Math.fround(Number(v) * (1 + (random.below(2) * 2 - 1) * 2 ** -20)),
      );
      return [name, { ...elements, values }];
    }),
  );
  return { ...one, feeds };
}

/** Ways to move feeds that are tried: in one of them, terms that cancel may move alike. */
const MOVES = 4;

export async function explain(octette: Octette, peer: Peer, one: Case, outcome: Different): Promise<Reason> {
  const { difference } = outcome;
  if (!difference) return { note: "the ways to run it differ" };
  let values: Values;
  try {
    values = await valuesOf(peer, one);
  } catch (error) {
    return { note: `no values in between: ${(error as Error).message}` };
  }
  const steps = above(one, difference.output).filter(({ op }) => op !== "Constant");
  const last = steps.at(-1);
  const direct = last && ruleOf(one, last, values, difference);
  if (direct) return { rule: direct, note: "" };
  const open = openRule(one, steps, values);
  if (open) return { rule: open, note: "" };
  // Octette has no f64. Where it gives what ONNX Runtime gives for the same model in f32, that is all there is to it.
  const single = inSingle(one);
  const wanted =
    single && (await peer.run(single.model, single.feeds).catch(() => undefined))?.[difference.output];
  if (wanted && difference.got && !differenceOf(difference.output, difference.got, wanted, one.isHalf))
    return { rule: "f64, which octette computes in f32", note: "" };
  let explained: string | undefined;
  if (steps.length > 1 && outcome.way === "whole")
    for (const node of steps) {
      const part = isolated(one, node, values);
      if (!part) continue;
      const result = await compareCase(octette, peer, part);
      if (result.is !== "different" || !result.difference) continue;
      const rule = ruleOf(part, node, values, result.difference);
      if (!rule) return { note: `node ${node.op} alone: ${result.note}`, smallest: part };
      explained = rule;
    }
  if (explained) return { rule: explained, note: "" };
  const { want } = difference;
  if (difference.kind === "value" && want) {
    // Codes next to a rounding edge: sums in another order fall on its other side.
    const worst = Math.max(...want.values.map((v, i) => Math.abs(Number(v) - difference.got!.data[i]!)));
    if (/^[iu]8$/.test(want.type) && worst <= 1) return { rule: "one code at a rounding edge", note: "" };
    const at = difference.at!;
    const [ours, theirs] = [difference.got!.data[at]!, Number(want.values[at])];
    for (let seed = 1; seed <= MOVES; seed++) {
      const other = moved(one, seed);
      const again = await peer.run(other.model, other.feeds).catch(() => undefined);
      const nudged = Number(again?.[difference.output]?.values[at]);
      if (!(Math.abs(nudged - theirs) * 16 < Math.abs(ours - theirs)) && !Object.is(nudged, theirs))
        return { rule: "ill-conditioned: feeds a few last bits apart move it as much", note: "" };
    }
  }
  return { note: steps.length > 1 ? "no node alone differs" : "" };
}
