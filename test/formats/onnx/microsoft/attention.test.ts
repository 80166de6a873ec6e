// Attention, MultiHeadAttention, GroupQueryAttention and RotaryEmbedding of ONNX Runtime against scalar loops.

import { describe, expect, test } from "vitest";
import { type Tensor, tensor } from "../../../../src/graph/tensor";
import { attended, expectClose, floats, graphOf, type Heads, headed, product, run } from "./reference";

const own: Heads = { batch: 2, heads: 2, groups: 2, tokens: 4, keys: 4, size: 4 };
const nothing = () => 0;
const columns = (x: readonly number[], n: number, from: number, to: number) =>
  x.filter((_, at) => at % n >= from && at % n < to);

describe("Attention", () => {
  const [x, w, b] = [floats([2, 4, 8]), floats([8, 24], 0.5), floats([24])];
  const all = product(x.data, w.data, 8, 24).map((v, at) => v + b.data[at % 24]!);
  const [q, k, v] = [0, 8, 16].map((from) => columns(all, 24, from, from + 8)) as [
    number[],
    number[],
    number[],
  ];
  const [keys, values] = [headed(k, 4, 2, 4), headed(v, 4, 2, 4)];
  const base = { op: "Attention", inputs: ["x", "w", "b"], feeds: { x }, constants: { w, b } };
  const shapes = { x: ["batch", "tokens", 8], mask: ["batch", "total"] };

  test("of all", () => {
    const { y } = run({ ...base, attributes: { num_heads: 2, scale: { float: 0.25 } }, shapes });
    expectClose(y, [2, 4, 8], attended(own, q, keys, values, nothing, 0.25));
  });

  test("of tokens before, and what a mask leaves", () => {
    const mask = tensor("i32", [2, 4], [0, 1, 1, 1, 1, 1, 0, 1]);
    const attributes = { num_heads: 2, unidirectional: 1, mask_filter_value: { float: -4 } };
    const inputs = [...base.inputs, "mask"];
    const { y } = run({ ...base, inputs, feeds: { x, mask }, attributes, shapes });
    const added = (i: number, _: number, t: number, key: number) =>
      key > t ? -Infinity : mask.data[i * 4 + key] === 0 ? -4 : 0;
    expectClose(y, [2, 4, 8], attended(own, q, keys, values, added));
  });

  test("of as many keys as a row has", () => {
    const mask = tensor("i32", [2], [3, 1]);
    const { y } = run({
      ...base,
      inputs: [...base.inputs, "mask"],
      feeds: { x, mask },
      attributes: { num_heads: 2 },
    });
    const added = (i: number, _: number, __: number, key: number) => (key < mask.data[i]! ? 0 : -10_000);
    expectClose(y, [2, 4, 8], attended(own, q, keys, values, added));
  });

  test.each([0, 3])("over %i tokens before", (before) => {
    const past = floats([2, 2, 2, before, 4]);
    const inputs = [...base.inputs, "", "past"];
    const attributes = { num_heads: 2, unidirectional: 1 };
    const outputs = ["y", "present"];
    const { y, present } = run({
      ...base,
      inputs,
      feeds: { x, past },
      attributes,
      outputs,
      shapes: { ...shapes, past: [2, "batch", 2, "past", 4] },
    });
    const longer = (at: number, fresh: readonly number[]) =>
      [0, 1, 2, 3].flatMap((head) => [
        ...past.data.slice((at * 4 + head) * before * 4, (at * 4 + head + 1) * before * 4),
        ...fresh.slice(head * 16, head * 16 + 16),
      ]);
    const [allKeys, allValues] = [longer(0, keys), longer(1, values)];
    const added = (_: number, __: number, t: number, key: number) => (key > t + before ? -Infinity : 0);
    expectClose(y, [2, 4, 8], attended({ ...own, keys: 4 + before }, q, allKeys, allValues, added));
    expectClose(present, [2, 2, 2, 4 + before, 4], [...allKeys, ...allValues]);
  });

  test("a mask of other sizes than a run has", () => {
    const mask = tensor("i32", [2, 3], [1, 1, 1, 1, 1, 1]);
    const inputs = [...base.inputs, "mask"];
    expect(() =>
      run({ ...base, inputs, feeds: { x, mask }, attributes: { num_heads: 2 }, shapes }),
    ).toThrow();
  });

  test.each(["do_rotary", "past_present_share_buffer"])("%s is refused", (name) =>
    expect(() => graphOf({ ...base, attributes: { num_heads: 2, [name]: 1 } })).toThrow(
      new RegExp(`attribute ${name} does not fit`),
    ));
});

describe("MultiHeadAttention", () => {
  const [q, k, v, b] = [floats([2, 4, 8]), floats([2, 5, 8]), floats([2, 5, 8]), floats([24])];
  const biased = ({ data }: Tensor, from: number) =>
    Array.from(data, (x, at) => x + b.data[from + (at % 8)]!);
  const wide = { ...own, keys: 5 };
  const base = { op: "MultiHeadAttention", attributes: { num_heads: 2 } };

  test("with biases, a mask and what is added to scores", () => {
    const mask = tensor("i32", [2, 5], [1, 1, 1, 0, 0, 1, 1, 1, 1, 0]);
    const scores = floats([1, 2, 4, 5]);
    const { y } = run({
      ...base,
      inputs: ["q", "k", "v", "b", "mask", "scores"],
      feeds: { q, k, v, mask, scores },
      constants: { b },
    });
    const added = (i: number, h: number, t: number, key: number) =>
      (mask.data[i * 5 + key] === 0 ? -10_000 : 0) + scores.data[(h * 4 + t) * 5 + key]!;
    const [keys, values] = [headed(biased(k, 8), 5, 2, 4), headed(biased(v, 16), 5, 2, 4)];
    expectClose(y, [2, 4, 8], attended(wide, biased(q, 0), keys, values, added));
  });

  test("over keys and values that have heads, whose biases are in them", () => {
    const [keys, values] = [floats([2, 2, 5, 4]), floats([2, 2, 5, 4])];
    const inputs = ["q", "k", "v", "b"];
    const { y } = run({ ...base, inputs, feeds: { q, k: keys, v: values }, constants: { b } });
    expectClose(y, [2, 4, 8], attended(wide, biased(q, 0), keys.data, values.data, nothing));
  });

  test("packed operands are refused", () =>
    expect(() => graphOf({ ...base, inputs: ["q"], feeds: { q: floats([2, 4, 2, 3, 4]) } })).toThrow(
      /query, key and value apart/,
    ));
});

/** Pairs of a head's elements, each i and i + size / 2, turned. */
function turned(
  x: ArrayLike<number>,
  heads: number,
  size: number,
  at: (row: number) => number,
  cos: Tensor,
  sin: Tensor,
): number[] {
  const half = size / 2;
  return Array.from({ length: x.length }, (_, i) => {
    const [row, c] = [Math.floor(i / (heads * size)), i % size];
    const from = at(row) * half + (c % half);
    const other = c < half ? -x[i + half]! : x[i - half]!;
    return x[i]! * cos.data[from]! + other * sin.data[from]!;
  });
}

const [cos, sin] = [floats([12, 4]), floats([12, 4])];

describe("RotaryEmbedding", () => {
  const x = floats([2, 3, 16]);
  const base = { op: "RotaryEmbedding", inputs: ["x", "p", "c", "s"], constants: { c: cos, s: sin } };

  test("of positions, of heads as wide as the table", () => {
    const p = tensor("i32", [2, 3], [4, 0, 7, 11, 2, 2]);
    const { y } = run({ ...base, feeds: { x, p } });
    expectClose(
      y,
      [2, 3, 16],
      turned(x.data, 2, 8, (row) => p.data[row]!, cos, sin),
    );
  });

  test("from one position on", () => {
    const p = tensor("i32", [1], [5]);
    const { y } = run({
      ...base,
      feeds: { x, p },
      attributes: { num_heads: 2 },
      shapes: { x: ["n", "t", 16] },
    });
    expectClose(
      y,
      [2, 3, 16],
      turned(x.data, 2, 8, (row) => 5 + (row % 3), cos, sin),
    );
  });

  test("scaled angles are refused", () =>
    expect(() =>
      graphOf({ ...base, feeds: { x, p: tensor("i32", [1], [5]) }, attributes: { scale: { float: 2 } } }),
    ).toThrow(/scale 1/));
});

describe("GroupQueryAttention", () => {
  const shapes = (packed: boolean) => ({
    q: ["batch", "tokens", packed ? 48 : 32],
    k: ["batch", "tokens", 8],
    v: ["batch", "tokens", 8],
    pk: ["batch", 1, "past", 8],
    pv: ["batch", 1, "past", 8],
    ends: ["batch"],
  });
  const attributes = { num_heads: 4, kv_num_heads: 1, do_rotary: 1 };

  /** Tokens of each row after those before them, and the run of a model over them. */
  function check(
    tokens: number,
    room: number,
    before: readonly number[],
    packed: boolean,
    more: { window?: number; softcap?: number } = {},
  ) {
    const all = floats([2, tokens, 48]);
    const part = (from: number, to: number) =>
      tensor("f32", [2, tokens, to - from], columns([...all.data], 48, from, to));
    const [q, k, v] = [part(0, 32), part(32, 40), part(40, 48)];
    const [pk, pv] = [floats([2, 1, room, 8]), floats([2, 1, room, 8])];
    const ends = tensor(
      "i32",
      [2],
      before.map((n) => n + tokens - 1),
    );
    const total = tensor("i32", [], [room + tokens]);
    const { window = -1, softcap = 0 } = more;
    const made = run({
      op: "GroupQueryAttention",
      inputs: [...(packed ? ["q", "", ""] : ["q", "k", "v"]), "pk", "pv", "ends", "total", "c", "s"],
      feeds: { ...(packed ? { q: all } : { q, k, v }), pk, pv, ends, total },
      constants: { c: cos, s: sin },
      attributes: { ...attributes, local_window_size: window, softcap: { float: softcap } },
      outputs: ["y", "keys", "values"],
      shapes: shapes(packed),
    });
    const at = (row: number) => before[Math.floor(row / tokens)]! + (row % tokens);
    const cached = (past: Tensor, fresh: readonly number[]) =>
      [0, 1].flatMap((row) => {
        const cache = new Array<number>((room + tokens) * 8).fill(0);
        for (let i = 0; i < before[row]! * 8; i++) cache[i] = past.data[row * room * 8 + i]!;
        for (let i = 0; i < tokens * 8; i++) cache[before[row]! * 8 + i] = fresh[row * tokens * 8 + i]!;
        return cache;
      });
    const keys = cached(pk, turned(k.data, 1, 8, at, cos, sin));
    const values = cached(pv, [...v.data]);
    const added = (row: number, _: number, t: number, key: number) => {
      const last = before[row]! + t;
      return key > last || (window > 0 && key <= last - window) ? -Infinity : 0;
    };
    const sizes = { batch: 2, heads: 4, groups: 1, tokens, keys: room + tokens, size: 8 };
    const expected = attended(
      sizes,
      turned(q.data, 4, 8, at, cos, sin),
      keys,
      values,
      added,
      undefined,
      softcap,
    );
    expectClose(made.y, [2, tokens, 32], expected);
    expectClose(made.keys, [2, 1, room + tokens, 8], keys);
    expectClose(made.values, [2, 1, room + tokens, 8], values);
  }

  test("a prompt over an empty cache", () => check(5, 0, [0, 0], false));
  test("one more token", () => check(1, 6, [6, 6], false));
  test("one more token of rows of different lengths", () => check(1, 6, [6, 3], false));
  test("packed operands", () => check(2, 4, [4, 1], true));
  test("a window and a soft cap", () => check(5, 2, [2, 0], false, { window: 3, softcap: 2 }));

  test.each<[string, number]>([
    ["smooth_softmax", 1],
    ["qk_output", 1],
    ["causal", 0],
    ["sliding_window_cache", 1],
  ])("%s of %i is refused", (name, value) => {
    const q = floats([1, 1, 32]);
    expect(() =>
      graphOf({
        op: "GroupQueryAttention",
        inputs: ["q", "q", "q", "", "", "ends", "total"],
        feeds: { q, ends: tensor("i32", [1], [0]), total: tensor("i32", [], [1]) },
        attributes: { num_heads: 4, kv_num_heads: 4, [name]: value },
      }),
    ).toThrow(new RegExp(`attribute ${name} does not fit`));
  });

  test("a sink of heads is refused", () => {
    const q = floats([1, 1, 32]);
    expect(() =>
      graphOf({
        op: "GroupQueryAttention",
        inputs: ["q", "q", "q", "", "", "ends", "total", "", "", "", "", "sink"],
        feeds: { q, ends: tensor("i32", [1], [0]), total: tensor("i32", [], [1]), sink: floats([4]) },
        attributes: { num_heads: 4, kv_num_heads: 4 },
      }),
    ).toThrow(/input 11 is unknown/);
  });
});
