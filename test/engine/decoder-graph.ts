// A decoder as exporters write it: past keys and values in, present ones out, its mask made of ranges over sizes. And what it computes.

import type { Graph } from "../../src/graph/graph";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { GraphBuilder, randomOf } from "../graph-builder";

const [HEADS, SIZE, WORDS] = [2, 4, 11];
const WIDTH = HEADS * SIZE;

/** Names of the sizes of its inputs. */
export interface Names {
  readonly keys: string;
  readonly values: string;
  readonly total: string;
}

/**
 * One layer of attention over ids [batch, tokens]; the mask says which of all tokens are no padding. The first run of some exporters has a graph of
 * its own, which reads no past.
 */
export function decoder({ keys, values, total }: Names, isFirst = false): Graph {
  const b = new GraphBuilder(5);
  const ints = (name: string, ...of: number[]) => b.constant(name, tensor("i32", [of.length], of));
  const number = (name: string, value: number, dtype: "i32" | "f32" = "i32") =>
    b.constant(name, tensor(dtype, [], [value]));
  const ids = b.input("ids", ["batch", "tokens"], "i32");
  const mask = b.input("mask", ["batch", total], "i32");
  const past = {
    key: b.input("past_key_values.0.key", ["batch", HEADS, keys, SIZE]),
    value: b.input("past_key_values.0.value", ["batch", HEADS, values, SIZE]),
  };
  const sizeOfAxis = (value: string, axis: number, name: string) =>
    b.node("Gather", [b.node("Shape", [value], `${name}_shape`), number(`${name}_axis`, axis)], name);
  const tokens = sizeOfAxis(ids, 1, "token_count");
  const before = isFirst ? number("no_past", 0) : sizeOfAxis(past.key, 2, "past_count");
  const all = b.node("Add", [before, tokens], "total_count");
  const one = number("one", 1);
  const row = b.node("Range", [number("zero", 0), all, one], "row");
  const column = b.node(
    "Unsqueeze",
    [b.node("Range", [before, all, one], "places"), ints("last", 1)],
    "column",
  );
  const causal = b.node("LessOrEqual", [row, column], "causal");
  const isKept = b.node("Cast", [mask], "is_kept", { to: "bool" });
  const kept = b.node("Unsqueeze", [isKept, ints("inner", 1, 2)], "kept");
  const seen = b.node("And", [causal, kept], "seen");
  const bias = b.node("Where", [seen, number("nothing", 0, "f32"), number("hidden", -1e9, "f32")], "bias");

  const x = b.node("Gather", [b.floats("words", [WORDS, WIDTH], 1), ids], "x");
  const heads = ints("heads", 0, 0, HEADS, SIZE);
  const headed = (name: string) => {
    const flat = b.node("MatMul", [x, b.floats(`w_${name}`, [WIDTH, WIDTH], 1)], `flat_${name}`);
    return b.node("Transpose", [b.node("Reshape", [flat, heads], `split_${name}`)], name, {
      perm: [0, 2, 1, 3],
    });
  };
  const q = headed("q");
  const present = (["key", "value"] as const).map((name) =>
    isFirst ? headed(name) : b.node("Concat", [past[name], headed(name)], `present.0.${name}`, { axis: 2 }),
  ) as [string, string];
  const turned = b.node("Transpose", [present[0]], "turned", { perm: [0, 1, 3, 2] });
  const scores = b.node("Add", [b.node("MatMul", [q, turned], "products"), bias], "scores");
  const mixed = b.node("MatMul", [b.node("Softmax", [scores], "weights", { axis: -1 }), present[1]], "mixed");
  const joined = b.node("Transpose", [mixed], "joined", { perm: [0, 2, 1, 3] });
  const flat = b.node("Reshape", [joined, ints("flat_shape", 0, 0, WIDTH)], "flat");
  b.node("MatMul", [flat, b.floats("w_out", [WIDTH, WORDS], 1)], "logits");
  return b.build("logits", ...present);
}

export interface Case {
  readonly batch: number;
  readonly past: number;
  readonly tokens: number;
  /** Tokens in front of the first row that are padding. */
  readonly padding?: number;
}

type Feeds = Readonly<Record<"ids" | "mask" | "past_key_values.0.key" | "past_key_values.0.value", Tensor>>;

export function feedsOf({ batch, past, tokens, padding = 0 }: Case): Feeds {
  const { below, between } = randomOf(batch + 10 * past + 100 * tokens);
  const floats = (shape: readonly number[]) =>
    tensor(
      "f32",
      shape,
      Array.from({ length: sizeOf(shape) }, () => between(-1, 1)),
    );
  const total = past + tokens;
  return {
    ids: tensor(
      "i32",
      [batch, tokens],
      Array.from({ length: batch * tokens }, () => below(WORDS)),
    ),
    mask: tensor(
      "i32",
      [batch, total],
      Array.from({ length: batch * total }, (_, i) => (i < padding ? 0 : 1)),
    ),
    "past_key_values.0.key": floats([batch, HEADS, past, SIZE]),
    "past_key_values.0.value": floats([batch, HEADS, past, SIZE]),
  };
}

/** Logits in doubles but for what is hidden, one query after another. */
export function logitsOf({ constants }: Graph, feeds: Feeds): { shape: readonly number[]; data: number[] } {
  const [batch, tokens] = feeds.ids.shape as [number, number];
  const past = feeds["past_key_values.0.key"].shape[2]!;
  const masked = feeds.mask.shape[1]!;
  const times = (v: readonly number[], name: string) => {
    const { shape, data } = constants.get(name)!;
    const n = shape[1]!;
    return Array.from({ length: n }, (_, j) =>
      v.reduce((sum, value, i) => sum + value * data[i * n + j]!, 0),
    );
  };
  const wordAt = (b: number, t: number) => {
    const at = feeds.ids.data[b * tokens + t]! * WIDTH;
    return Array.from(constants.get("words")!.data.slice(at, at + WIDTH));
  };
  const data: number[] = [];
  for (let b = 0; b < batch; b++) {
    const words = Array.from({ length: tokens }, (_, t) => wordAt(b, t));
    /** A head's key or value of a token, cached or of this run. */
    const made = { key: words.map((x) => times(x, "w_key")), value: words.map((x) => times(x, "w_value")) };
    const of = (name: "key" | "value", h: number, t: number) => {
      if (t >= past) return made[name][t - past]!.slice(h * SIZE, (h + 1) * SIZE);
      const at = ((b * HEADS + h) * past + t) * SIZE;
      return Array.from(feeds[`past_key_values.0.${name}`].data.slice(at, at + SIZE));
    };
    for (let t = 0; t < tokens; t++) {
      const q = times(words[t]!, "w_q");
      const mixed = Array.from({ length: HEADS }, (_, h) => {
        const scores = Array.from({ length: past + tokens }, (_, j) => {
          const isSeen = j <= past + t && feeds.mask.data[b * masked + (masked === 1 ? 0 : j)] === 1;
          const product = of("key", h, j).reduce((sum, k, i) => sum + k * q[h * SIZE + i]!, 0);
          return isSeen ? product : Math.fround(product - 1e9);
        });
        const most = Math.max(...scores);
        const shares = scores.map((score) => Math.exp(score - most));
        const sum = shares.reduce((a, c) => a + c, 0);
        return Array.from({ length: SIZE }, (_, i) =>
          shares.reduce((n, share, j) => n + (share / sum) * of("value", h, j)[i]!, 0),
        );
      });
      data.push(...times(mixed.flat(), "w_out"));
    }
  }
  return { shape: [batch, tokens, WORDS], data };
}
