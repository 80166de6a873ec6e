import { beforeEach, describe, expect, test } from "vitest";
import { attentionScratchBytes } from "../../../assembly/language/attention-sizes";
import { attend } from "../../reference/attention";
import { inPieces, same } from "../float";
import { alloc, brokenGuard, fillFloats, fillInts, loadCommon, random, reset } from "../harness";
import { allocHeads } from "./heads";

const { attention, cacheRows } = loadCommon();
beforeEach(reset);

const NONE = 0;

interface Case {
  readonly batch?: number;
  readonly heads?: number;
  readonly groups?: number;
  readonly tokens: number;
  readonly keys: number;
  readonly size: number;
  readonly valueSize?: number;
  readonly flat?: boolean;
  readonly flatKeys?: boolean;
  /** Tokens before the first one; −1 of left or right is no bound. */
  readonly offset?: number;
  readonly left?: number;
  readonly right?: number;
  readonly softcap?: number;
  readonly lengths?: readonly number[];
  /** Of a ring: keys that were seen so far. */
  readonly seen?: number;
  readonly mask?: "f32" | "bool";
  readonly maskKeys?: number;
  readonly mode?: number;
}

const cases: readonly Case[] = [
  ...[1, 3, 4, 17, 64].flatMap((size) =>
    [1, 3, 4, 17, 20].map((tokens) => ({ size, tokens, keys: tokens + 30, valueSize: (size * 3) % 20 || 1 })),
  ),
  { tokens: 0, keys: 3, size: 4 },
  { tokens: 3, keys: 0, size: 4 },
  { tokens: 5, keys: 70, size: 8, valueSize: 0 },
  { tokens: 20, keys: 70, size: 16, heads: 6, groups: 2, batch: 2 },
  { tokens: 1, keys: 70, size: 16, heads: 12, groups: 3, flat: true, flatKeys: true },
  { tokens: 9, keys: 40, size: 5, heads: 4, groups: 1, flat: true },
  { tokens: 33, keys: 33, size: 8, right: 0 },
  {
    tokens: 7,
    keys: 100,
    size: 8,
    heads: 4,
    groups: 4,
    flat: true,
    flatKeys: true,
    offset: 90,
    right: 0,
    seen: 97,
  },
  { tokens: 40, keys: 40, size: 8, left: 3, right: 2, softcap: 2 },
  { tokens: 40, keys: 96, size: 8, left: 50, right: 0, offset: 200, seen: 240, heads: 2, groups: 1 },
  { tokens: 6, keys: 64, size: 8, left: 31, right: 0, offset: 61, seen: 67, flat: true, flatKeys: true },
  { tokens: 6, keys: 11, size: 4, batch: 4, lengths: [11, 0, 3, 99], heads: 2 },
  { tokens: 6, keys: 11, size: 4, batch: 4, lengths: [11, 2, 6, -1], right: 0, left: 4 },
  ...(["f32", "bool"] as const).flatMap((mask) => [
    { tokens: 5, keys: 37, size: 4, batch: 2, heads: 2, mask },
    { tokens: 5, keys: 37, size: 4, batch: 2, heads: 4, groups: 2, mask, maskKeys: 34, right: 0, offset: 20 },
  ]),
  ...[0, 1, 2, 3].flatMap((mode) => [
    { tokens: 5, keys: 37, size: 4, heads: 2, batch: 2, mode, softcap: 3, right: 0, offset: 2 },
    { tokens: 17, keys: 5, size: 4, mode, mask: "bool", maskKeys: 3 } as const,
  ]),
];

describe("attention", () => {
  test.each(cases.map((one) => [JSON.stringify(one), one] as const))("%s", (_, one) => {
    const { batch = 1, heads = 1, groups = heads, tokens, keys, size, valueSize = size } = one;
    const {
      flat = false,
      flatKeys = false,
      offset = 0,
      left = -1,
      right = -1,
      softcap = 0,
      seen = keys,
    } = one;
    const { mask, maskKeys = seen, mode } = one;
    const next = random(tokens + 31 * keys + size);
    const floats = (n: number) => fillFloats(alloc(Float32Array, n), next, -2, 2);
    const q = floats(batch * heads * tokens * size);
    const k = floats(batch * groups * keys * size);
    const v = floats(batch * groups * keys * valueSize);
    const lengths = one.lengths && alloc(Int32Array, batch);
    lengths?.set(one.lengths!);
    const rows = batch * heads * tokens;
    const biases = mask && floats(rows * maskKeys);
    if (biases && mask === "f32") for (let i = 0; i < biases.length; i += 5) biases[i] = -Infinity;
    const bytes = mask === "bool" ? fillInts(alloc(Uint8Array, rows * maskKeys), next, 0, 1) : undefined;
    const y = alloc(Float32Array, rows * valueSize);
    const output = mode === undefined ? undefined : alloc(Float32Array, rows * seen);
    const scratch = alloc(Uint8Array, attentionScratchBytes(keys, size, valueSize));
    const scale = 0.3;
    const form = allocHeads({
      ...{ heads, groups, size, valueSize, left, right },
      isFlat: Number(flat),
      isFlatKeys: Number(flatKeys),
      isBool: Number(mask === "bool"),
      mode: mode ?? 0,
    });
    const run = (begin: number, end: number) =>
      attention(
        y.byteOffset,
        output?.byteOffset ?? NONE,
        q.byteOffset,
        k.byteOffset,
        v.byteOffset,
        (bytes ?? biases)?.byteOffset ?? NONE,
        lengths?.byteOffset ?? NONE,
        form,
        scratch.byteOffset,
        tokens,
        keys,
        seen,
        heads * tokens * maskKeys,
        tokens * maskKeys,
        maskKeys,
        maskKeys,
        offset,
        scale,
        softcap,
        begin,
        end,
      );
    if (!flat) inPieces(y, rows, next, run);
    if (output) inPieces(output, rows, next, run);
    const cut = Math.floor(next() * (rows + 1));
    run(cut, rows);
    run(0, cut);
    for (let r = 0; r < rows; r++) {
      const [t, h, b] = [r % tokens, Math.floor(r / tokens) % heads, Math.floor(r / tokens / heads)];
      const g = Math.floor(h / (heads / groups));
      const most = lengths ? Math.max(0, Math.min(keys, lengths[b]!)) : seen;
      const at = t + (lengths ? most - tokens : offset);
      const to = Math.max(0, right < 0 ? most : Math.min(most, at + right + 1));
      const from = left < 0 ? 0 : Math.min(to, Math.max(0, at - left));
      const row = (of: Float32Array, each: number) => (j: number) => {
        const place = flatKeys ? (b * keys + (j % keys)) * groups + g : (b * groups + g) * keys + (j % keys);
        return of.subarray(place * each, (place + 1) * each);
      };
      const place = flat ? (b * tokens + t) * heads + h : r;
      const bias = (j: number) => {
        if (j >= maskKeys) return -Infinity;
        if (bytes) return bytes[r * maskKeys + j] ? 0 : -Infinity;
        return biases![r * maskKeys + j]!;
      };
      const query = {
        q: q.subarray(place * size, (place + 1) * size),
        key: row(k, size),
        value: row(v, valueSize),
        from,
        to,
        scale,
        softcap,
        ...(mask && { bias }),
      };
      const want = attend(query, valueSize, mode, seen);
      same(y.subarray(place * valueSize, (place + 1) * valueSize), want.y);
      if (output) same(output.subarray(r * seen, (r + 1) * seen), want.output);
    }
    expect(brokenGuard()).toBeUndefined();
  });

  test("what a query does not see does not reach it", () => {
    const [tokens, size] = [20, 8];
    const next = random(1);
    const [q, k, v] = [0, 1, 2].map(() => fillFloats(alloc(Float32Array, tokens * size), next, -1, 1)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const scratch = alloc(Uint8Array, attentionScratchBytes(tokens, size, size)).byteOffset;
    const y = alloc(Float32Array, tokens * size);
    const form = allocHeads({ heads: 1, groups: 1, size, valueSize: size, left: 4, right: 0 });
    const run = () =>
      attention(
        y.byteOffset,
        NONE,
        q.byteOffset,
        k.byteOffset,
        v.byteOffset,
        NONE,
        NONE,
        form,
        scratch,
        ...([tokens, tokens, tokens, 0, 0, 0, 0, 0, 1, 0] as const),
        0,
        tokens,
      );
    run();
    const known = y.slice();
    k.fill(Number.NaN, 10 * size, 11 * size);
    v.fill(Number.NaN, 10 * size, 11 * size);
    run();
    same(y.subarray(0, 10 * size), known.subarray(0, 10 * size));
    same(y.subarray(15 * size), known.subarray(15 * size));
    expect(y.subarray(10 * size, 15 * size).every(Number.isNaN)).toBe(true);
  });
});

test("cacheRows puts tokens where the ring has them", () => {
  const next = random(2);
  for (const [position, tokens, length] of [
    [0, 3, 4],
    [7, 4, 5],
    [62, 3, 64],
    [5, 0, 8],
  ] as const) {
    const x = fillFloats(alloc(Float32Array, tokens * 3), next, -1, 1);
    const state = alloc(Float32Array, length * 3).fill(0);
    cacheRows(state.byteOffset, x.byteOffset, 12, position, length, 0, tokens);
    const want = new Float32Array(length * 3);
    for (let t = 0; t < tokens; t++) want.set(x.subarray(3 * t, 3 * t + 3), ((position + t) % length) * 3);
    same(state, want);
    expect(brokenGuard()).toBeUndefined();
  }
});
