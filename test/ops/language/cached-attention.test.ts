import { describe, expect, test } from "vitest";
import { Model } from "../../../src/engine/model";
import { Engine } from "../../../src/engine/wasm";
import type { Graph, State } from "../../../src/graph/graph";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { toolkitOps } from "../../../src/ops/toolkit";
import { expectSameBytes } from "../../check-tensors";
import { exactSources } from "../../engine/engines";
import { type Attributes, randomOf } from "../../graph-builder";
import { runReference } from "../../reference/index";
import { fed, testOp } from "../test-op";

const plain = { num_heads: 4, kv_num_heads: 2, position: [0] };

testOp("CachedAttention", {
  exported: "refused",
  gradient: "none",
  cases: [
    {
      inputs: [
        [1, 5, 32],
        [1, 5, 16],
        [1, 5, 6],
        [40, 16],
        [40, 6],
      ],
      attributes: { ...plain, position: [20] },
    },
    {
      inputs: [
        [1, 1, 12],
        [1, 1, 12],
        [1, 1, 12],
        [9, 12],
        [9, 12],
      ],
      attributes: { num_heads: 4, position: [8] },
    },
    {
      inputs: [
        [1, 3, 32],
        [1, 3, 16],
        [1, 3, 16],
        [64, 16],
        [64, 16],
      ],
      attributes: { ...plain, window: 9, scale: 0.5, softcap: 2, position: [62] },
    },
    {
      inputs: [
        [1, 0, 32],
        [1, 0, 16],
        [1, 0, 16],
        [64, 16],
        [64, 16],
      ],
      attributes: plain,
    },
    // A code that is fed lies otherwise than one in a state: those that are read are written before.
    {
      inputs: [[1, 5, 32], [1, 5, 16], [1, 5, 6], fed("i8", [64, 16]), [64, 2], fed("i8", [64, 6]), [64, 2]],
      attributes: plain,
    },
    {
      inputs: [[1, 40, 8], [1, 40, 8], [1, 40, 8], fed("i8", [64, 8]), [64, 2], fed("i8", [64, 8]), [64, 2]],
      attributes: { num_heads: 2, position: [0], window: 9, softcap: 2, scale: 1 },
    },
    // Numbers for each head and position are added to scores.
    {
      inputs: [
        [1, 5, 32],
        [1, 5, 16],
        [1, 5, 6],
        [40, 16],
        [40, 6],
        [4, 43],
      ],
      attributes: { ...plain, position: [20], softcap: 2 },
    },
    {
      inputs: [
        [1, 40, 8],
        [1, 40, 8],
        [1, 40, 8],
        fed("i8", [64, 8]),
        [64, 2],
        fed("i8", [64, 8]),
        [64, 2],
        [2, 64],
      ],
      attributes: { num_heads: 2, position: [0], scale: 1 },
    },
  ],
  infers: [
    [
      [
        [1, "tokens", 32],
        [1, "tokens", 16],
        [1, "tokens", 6],
        ["cache", 16],
        ["cache", 6],
      ],
      { ...plain, position: ["position"] },
      "[1, tokens, 12]",
    ],
  ],
  refuses: [
    [
      [
        [1, 5, 8],
        [1, 5, 8],
        [1, 5, 8],
        [40, 8],
        [40, 8],
        [2, 39],
      ],
      { num_heads: 2, position: [0] },
      "input 5 does not fit: expected f32 [2, 40], got f32 [2, 39]",
    ],
    [
      [
        [1, 5, 8],
        [1, 5, 8],
        [1, 5, 8],
        [64, 8],
        [64, 8],
        [2, 64],
      ],
      { num_heads: 2, position: [0], window: 9 },
      "the number of inputs does not fit: expected 5, got 6",
    ],
    [
      [[1, 5, 8], [1, 5, 8], [1, 5, 8], fed("i8", [40, 8]), [40, 8], [40, 1]],
      { num_heads: 1, position: [0] },
      "the number of inputs does not fit: expected 7, got 6",
    ],
    [
      [[1, 5, 8], [1, 5, 8], [1, 5, 8], fed("i8", [40, 8]), [40, 1], fed("i8", [40, 8]), [40, 1]],
      { num_heads: 1, position: [0] },
      "a cache of codes has whole tiles: expected a multiple of 32 tokens, got 40",
    ],
    [
      [
        [1, 5, 32],
        [1, 5, 16],
        [1, 5, 6],
        [40, 16],
        [40, 7],
      ],
      plain,
      "input 4 does not fit: expected f32 [40, 6], got f32 [40, 7]",
    ],
    [
      [
        [2, 5, 32],
        [2, 5, 16],
        [2, 5, 6],
        [40, 16],
        [40, 6],
      ],
      plain,
      "input 0 does not fit: expected f32 [1, 5, 32], got f32 [2, 5, 32]",
    ],
    [
      [
        [1, 5, 30],
        [1, 5, 16],
        [1, 5, 6],
        [40, 16],
        [40, 6],
      ],
      plain,
      "queries do not fit: expected 4 heads of one size, got 30",
    ],
    [
      [
        [1, 5, 32],
        [1, 5, 16],
        [1, 5, 6],
        [40, 16],
        [40, 6],
      ],
      { ...plain, kv_num_heads: 3 },
      "heads do not fit: expected num_heads a multiple of kv_num_heads, got 4 and 3",
    ],
    [
      [
        [1, 5, 8],
        [1, 5, 8],
        [1, 5, 8],
        [40, 8],
        [40, 8],
      ],
      { num_heads: 2 },
      "position is missing",
    ],
  ],
});

const [HEADS, GROUPS, SIZE, VALUE_SIZE] = [6, 2, 8, 5];

/** A node over states of `length` tokens: of floats or of codes. */
function graphOf(length: number, attributes: Attributes, isCoded: boolean, hasBias = false): Graph {
  const scales = (name: string): readonly State[] =>
    isCoded ? [{ name, dtype: "f32", shape: [length, GROUPS] }] : [];
  const dtype = isCoded ? "i8" : "f32";
  const states: readonly State[] = [
    { name: "keys", dtype, shape: [length, GROUPS * SIZE] },
    ...scales("key_scales"),
    { name: "values", dtype, shape: [length, GROUPS * VALUE_SIZE] },
    ...scales("value_scales"),
  ];
  const input = (name: string, size: number) => ({ name, dtype: "f32", shape: [1, "tokens", size] }) as const;
  return {
    name: "attention",
    inputs: [input("q", HEADS * SIZE), input("k", GROUPS * SIZE), input("v", GROUPS * VALUE_SIZE)],
    outputs: ["y"],
    states,
    nodes: [
      {
        op: "CachedAttention",
        name: "attention",
        inputs: ["q", "k", "v", ...states.map(({ name }) => name), ...(hasBias ? ["bias"] : [])],
        outputs: ["y"],
        attributes: { num_heads: HEADS, kv_num_heads: GROUPS, position: ["position"], ...attributes },
      },
    ],
    constants: new Map(hasBias ? [["bias", slopes(length)]] : []),
    provenance: {},
  };
}

/** Lines of a slope for each head, as ALiBi has them. */
const slopes = (length: number): Tensor =>
  tensor(
    "f32",
    [HEADS, length],
    Array.from({ length: HEADS * length }, (_, i) => (i % length) * 2 ** -(1 + Math.floor(i / length))),
  );

describe.each(
  [false, true].flatMap((isCoded) =>
    (
      [
        ["all tokens before", 128, {}],
        ["all, with numbers added to scores", 128, { hasBias: true }],
        ["a window", 64, { window: 20, softcap: 5 }],
        ["a window of whole tiles", 96, { window: 32 }],
        ["a window in a cache of all tokens", isCoded ? 96 : 90, { window: 32 }],
      ] as const
    ).map(([what, length, given]) => [what, length, given, isCoded] as const),
  ),
)("over %s, %i tokens, %o, codes: %s", (_, length, given, isCoded) => {
  const { hasBias, ...attributes } = { hasBias: false, ...given };
  const graph = graphOf(length, attributes, isCoded, hasBias);
  /** Most tokens of a run at any position. */
  const most = "window" in attributes && length % 32 === 0 ? length - attributes.window + 1 : 90;

  test("tokens get the same bytes whether they come one by one, in chunks, or at once", () => {
    const { between } = randomOf(3);
    const count = 90;
    const random = (size: number) => Float32Array.from({ length: count * size }, () => between(-2, 2));
    const all = Object.fromEntries(graph.inputs.map(({ name, shape }) => [name, random(shape[2] as number)]));
    const known: number[] = [];
    for (const chunks of [[90], [1], [33, 1, 1, 30], [7]]) {
      using model = new Model(graph, toolkitOps, new Engine(exactSources), {});
      const states = new Map<string, Tensor>();
      const found: number[] = [];
      for (let at = 0, i = 0; at < count; i++) {
        const tokens = Math.min(chunks[i % chunks.length]!, count - at, most);
        const feeds = Object.fromEntries(
          graph.inputs.map(({ name, shape }) => {
            const size = shape[2] as number;
            const part = all[name]!.subarray(at * size, (at + tokens) * size);
            return [name, tensor("f32", [1, tokens, size], part)];
          }),
        );
        const symbols = { position: at };
        const { y } = model.runSync(feeds, {}, symbols);
        expectSameBytes(y, runReference(graph, feeds, {}, { symbols, states }).get("y")!, `at ${at}`);
        found.push(...y!.data);
        at += tokens;
      }
      if (known.length === 0) known.push(...found);
      expect(found).toEqual(known);
    }
  });

  test("a token without a place is refused", () => {
    using model = new Model(graph, toolkitOps, new Engine(exactSources), {});
    const feeds = (tokens: number) =>
      Object.fromEntries(
        model.inputs.map(({ name, shape }) => [name, new Float32Array(tokens * (shape[2] as number))]),
      );
    const position = Math.max(0, length - 10);
    const fits = Math.max(10, most === 90 ? 10 : most);
    model.runSync(feeds(fits), {}, { position });
    expect(() => model.runSync(feeds(fits + 1), {}, { position })).toThrow('node "attention"');
  });
});
