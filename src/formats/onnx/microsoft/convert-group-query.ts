// GroupQueryAttention of ONNX Runtime: new keys and values are written into each row's cache behind those that it has, and a query sees
// what is not after it. Rows of a batch may have different lengths.

import { Parts } from "../parts";
import type { Conversion, Source } from "../source";
import { countedTo, headsOf, scaleOf, sizeOf, sumOf } from "./attend";

/** What says that a node does more, and the value that says that it does not. */
const plainly: Readonly<Record<string, number | string>> = {
  causal: 1,
  k_quant_type: "NONE",
  qk_output: 0,
  sliding_window_cache: 0,
  smooth_softmax: 0,
  v_quant_type: "NONE",
};

function refuseMore(source: Source): void {
  for (const [name, plain] of Object.entries(plainly)) {
    const given = source.attribute(name) ?? plain;
    if (given !== plain && !(name === "smooth_softmax" && given === -1))
      throw source.error(`attribute ${name} does not fit`, { expected: `${plain}`, got: `${given}` });
  }
  source.ignore("kv_cache_bit_width", "qk_norm_epsilon");
}

/** Query, keys and values [batch, tokens, heads·size], of one value where they are packed. */
function operandsOf(source: Source, parts: Parts, heads: number, groups: number): [string, string, string] {
  const [q = "", k = "", v = ""] = source.inputs;
  if (k !== "" && v !== "") return [q, k, v];
  const total = heads + 2 * groups;
  const headed = parts.make("Reshape", "headed", [q, parts.integers("heads", [0, 0, total, -1])]);
  const widths = parts.integers("widths", [heads, groups, groups]);
  const flat = parts.integers("flat", [0, 0, -1]);
  const split = parts.several("Split", ["q", "k", "v"], [headed, widths], { axis: 2 });
  return split.map((part, i) => parts.make("Reshape", `flat_${i}`, [part, flat])) as [string, string, string];
}

/** Keys or values with heads outside, [batch, groups, tokens, size]. */
function cachedOf(parts: Parts, what: string, value: string, groups: number): string {
  const headed = parts.make("Reshape", `${what}_headed`, [
    value,
    parts.integers(`${what}_heads`, [0, 0, groups, -1]),
  ]);
  return parts.make("Transpose", `${what}_turned`, [headed], { perm: [0, 2, 1, 3] });
}

/** Keys or values of all tokens: the cache, longer by the new ones, these written where each row's tokens end, and zeros behind them. */
function presentOf(
  parts: Parts,
  what: string,
  past: string,
  own: string,
  at: string,
  isHeld: () => string,
): string {
  if (past === "") return own;
  const longer = parts.make("Concat", `${what}_longer`, [past, own], { axis: 2 });
  const written = parts.make("TensorScatter", `${what}_written`, [longer, own, at], { axis: 2 });
  return parts.make("Where", what, [isHeld(), written, parts.scalar(`${what}_none`, "f32", 0)]);
}

/** Positions that a node names. While there is no cache, those after the first of all follow it. */
function positionsOf(parts: Parts, positions: string, past: string, token: string): string {
  const first = parts.make("Slice", "first_position", [
    positions,
    ...[
      [0, 0],
      [1, 1],
      [0, 1],
    ].map((bounds, i) => parts.integers(`first_${i}`, bounds)),
  ]);
  const following = parts.make("Add", "following", [first, token]);
  if (past === "") return following;
  const isEmpty = parts.make("Equal", "is_first", [
    sizeOf(parts, "past_tokens", past, 2),
    parts.scalar("no_tokens", "i32", 0),
  ]);
  return parts.make("Where", "named_positions", [isEmpty, following, positions]);
}

/**
 * query, key, value, past keys and values, the index of each row's last token, the number of all tokens, cosines, sines, positions, what is
 * added to scores. The cache grows by the new tokens: one that a program keeps at its full length is not for a graph.
 */
export const groupQueryAttention: Conversion = (source) => {
  const [pastKey = "", pastValue = "", ends = "", total = "", cos = "", sin = ""] = source.inputs.slice(3);
  const [positions = "", added = ""] = source.inputs.slice(9);
  const [y = "", presentKey = "", presentValue = ""] = source.outputs;
  refuseMore(source);
  const [heads, groups] = [headsOf(source, "num_heads"), headsOf(source, "kv_num_heads")];
  const parts = new Parts(source);
  let [q, k, v] = operandsOf(source, parts, heads, groups);

  const tokens = sizeOf(parts, "tokens", q, 1);
  const one = parts.scalar("one", "i32", 1);
  const end = parts.make("Reshape", "ends", [ends, parts.integers("rows", [-1])]);
  const before = parts.make("Sub", "before", [parts.make("Add", "lengths", [end, one]), tokens]);
  const start = parts.make("Max", "starts", [before, parts.scalar("first", "i32", 0)]);
  const column = (what: string, value: string) => parts.make("Unsqueeze", what, [value], { axes: [1] });
  const token = countedTo(parts, "token", tokens);
  const at = parts.make("Add", "at", [column("start_column", start), token]);

  if (source.int("do_rotary", 0) !== 0) {
    const half = source.constant(cos)?.shape[1] ?? 0;
    const turn = { interleaved: source.int("rotary_interleaved", 0), rotary_embedding_dim: 2 * half };
    const own = positions === "" ? at : positionsOf(parts, positions, pastKey, token);
    const turned = (what: string, value: string, num_heads: number) =>
      parts.make("RotaryEmbedding", what, [value, cos, sin, own], { ...turn, num_heads });
    [q, k] = [turned("turned_query", q, heads), turned("turned_key", k, groups)];
  } else {
    source.ignore("rotary_interleaved", cos, sin, positions);
  }

  const [newKeys, newValues] = [cachedOf(parts, "key", k, groups), cachedOf(parts, "value", v, groups)];
  const past = pastKey === "" ? "" : sizeOf(parts, "past", pastKey, 2);
  const key = countedTo(
    parts,
    "key_at",
    past === "" ? tokens : parts.make("Add", "keys_in_all", [past, tokens]),
  );
  let held = "";
  const isHeld = () => {
    if (held !== "") return held;
    const places = parts.make("Unsqueeze", "held_until", [parts.make("Add", "held", [start, tokens])], {
      axes: [1],
    });
    const isBefore = parts.make("Less", "is_before", [key, places]);
    held = parts.make("Unsqueeze", "is_held", [isBefore], { axes: [1, 3] });
    return held;
  };
  const allKeys = presentOf(parts, "keys", pastKey, newKeys, start, isHeld);
  const allValues = presentOf(parts, "values", pastValue, newValues, start, isHeld);
  const places = parts.make("Unsqueeze", "places", [at], { axes: [1, 3] });
  let seen = parts.make("LessOrEqual", "not_after", [key, places]);
  const window = source.int("local_window_size", -1);
  if (window > 0) {
    const least = parts.make("Sub", "least", [places, parts.scalar("window", "i32", window)]);
    seen = parts.make("And", "seen", [seen, parts.make("Greater", "not_before", [key, least])]);
  }
  const numbers = [parts.scalar("nothing", "f32", 0), parts.scalar("hidden", "f32", -Infinity)];
  const mask = parts.make("Where", "mask", [seen, ...numbers]);
  source.ignore(total);
  if (presentKey !== "") parts.makes("Identity", presentKey, [allKeys]);
  if (presentValue !== "") parts.makes("Identity", presentValue, [allValues]);
  const softcap = source.attribute("softcap") ?? 0;
  const inputs = [
    cachedOf(parts, "query", q, heads),
    allKeys,
    allValues,
    sumOf(parts, "masked", [mask, added]),
  ];
  const result = parts.make("Attention", "attention", inputs, {
    ...scaleOf(source),
    ...(softcap === 0 ? {} : { softcap }),
  });
  const back = parts.make("Transpose", "back", [result], { perm: [0, 2, 1, 3] });
  return parts.last("Reshape", [back, parts.integers("joined", [0, 0, -1])], {}, [y]);
};
