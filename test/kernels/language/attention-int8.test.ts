import { beforeEach, describe, expect, test } from "vitest";
import { attentionInt8ScratchBytes, keySizeOf, TILE } from "../../../assembly/language/attention-sizes";
import { attendInt8, codesOf } from "../../reference/attention";
import { same } from "../float";
import { alloc, brokenGuard, classes, fillFloats, fillInts, loadCommon, random, reset } from "../harness";
import { allocHeads } from "./heads";

const { cacheKeys, cacheValues } = loadCommon();
beforeEach(reset);

/** Where element d of head g at a place lies among tiles of so many heads and sizes. */
type Place = (place: number, g: number, d: number) => number;
const tileOf = (place: number, g: number, groups: number, each: number) =>
  (Math.floor(place / TILE) * groups + g) * TILE * each;
const keyAt =
  (groups: number, size: number): Place =>
  (place, g, d) =>
    tileOf(place, g, groups, keySizeOf(size)) + Math.floor(d / 4) * 4 * TILE + (place % TILE) * 4 + (d % 4);
const valueAt =
  (groups: number, size: number): Place =>
  (place, g, d) =>
    tileOf(place, g, groups, size) + Math.floor((place % TILE) / 4) * 4 * size + d * 4 + (place % 4);
const scaleAt = (groups: number) => (place: number, g: number) =>
  tileOf(place, g, groups, 1) + (place % TILE);
const tiled = (length: number) => Math.ceil(length / TILE) * TILE;

interface Case {
  readonly heads?: number;
  readonly groups?: number;
  readonly tokens: number;
  readonly length: number;
  readonly size: number;
  readonly valueSize?: number;
  readonly offset?: number;
  readonly left?: number;
  readonly softcap?: number;
  /** Codes are −127 and 127 only. */
  readonly extreme?: boolean;
  /** Numbers are added to scores. */
  readonly hasMask?: boolean;
  /** Scale of queries: large ones leave a single key in a tile. */
  readonly reach?: number;
}

const cases: readonly Case[] = [
  ...[1, 3, 4, 17, 64].flatMap((size) =>
    [1, 3, 4, 17, 20].map((tokens) => ({
      size,
      tokens,
      length: tokens + 30,
      offset: tokens === 17 ? 13 : 30,
      valueSize: (size * 3) % 20 || 1,
    })),
  ),
  { tokens: 0, length: 3, size: 4 },
  { tokens: 1, length: 1, size: 8 },
  { tokens: 40, length: 40, size: 8, heads: 2 },
  { tokens: 1, length: 300, size: 16, heads: 12, groups: 3, offset: 299 },
  { tokens: 5, length: 130, size: 64, heads: 4, groups: 1, offset: 111, softcap: 4 },
  { tokens: 40, length: 96, size: 8, left: 50, offset: 200, heads: 2, groups: 1 },
  { tokens: 6, length: 64, size: 8, left: 31, offset: 61, heads: 8, groups: 2 },
  { tokens: 9, length: 200, size: 16, heads: 6, groups: 2, offset: 150, hasMask: true },
  { tokens: 9, length: 200, size: 128, offset: 150, extreme: true },
  { tokens: 9, length: 200, size: 16, offset: 150, reach: 1000 },
  { tokens: 3, length: 70, size: 16, offset: 60, reach: 0 },
  { tokens: 3, length: 70, size: 16, offset: 60, reach: 1e-30 },
];

describe.each(classes)("attentionInt8, $name", ({ kernels: { attentionInt8 } }) => {
  test.each(cases.map((one) => [JSON.stringify(one), one] as const))("%s", (_, one) => {
    const { heads = 1, groups = heads, tokens, size, valueSize = size } = one;
    const length = tiled(one.length);
    const { offset = 0, left = -1, softcap = 0, extreme = false, hasMask = false, reach = 2 } = one;
    const next = random(tokens + 31 * length + size);
    const codes = (n: number) => {
      const all = fillInts(alloc(Int8Array, n), next, -127, 127);
      if (extreme) all.set(all.map((x) => (x < 0 ? -127 : 127)));
      return all;
    };
    const scales = () => {
      const all = fillFloats(alloc(Float32Array, length * groups), next, 0.001, 0.02);
      // What lies behind the last key is of a text that was there before.
      for (let place = offset + tokens; place < length; place++)
        for (let g = 0; g < groups; g++) all[scaleAt(groups)(place, g)] = g % 2 ? Number.NaN : Infinity;
      return all;
    };
    const q = fillFloats(alloc(Float32Array, tokens * heads * size), next, -reach, reach);
    const [k, v] = [codes(length * groups * keySizeOf(size)), codes(length * groups * valueSize)];
    const [keyScales, valueScales] = [scales(), scales()];
    const mask = fillFloats(alloc(Float32Array, heads * length), next, -3, 3);
    const y = alloc(Float32Array, tokens * heads * valueSize);
    const scratch = alloc(Uint8Array, attentionInt8ScratchBytes(length, size, valueSize));
    const scale = 0.3;
    const rows = heads * tokens;
    const form = allocHeads({ heads, groups, size, valueSize, left, isFlat: 1 });
    const run = (begin: number, end: number) =>
      attentionInt8(
        y.byteOffset,
        q.byteOffset,
        k.byteOffset,
        keyScales.byteOffset,
        v.byteOffset,
        valueScales.byteOffset,
        hasMask ? mask.byteOffset : 0,
        form,
        scratch.byteOffset,
        tokens,
        length,
        length,
        offset,
        scale,
        softcap,
        begin,
        end,
      );
    run(0, rows);
    const whole = y.slice();
    y.fill(7);
    const cut = Math.floor(next() * (rows + 1));
    run(cut, rows);
    run(0, cut);
    same(y, whole);
    expect(brokenGuard()).toBeUndefined();
    for (let t = 0; t < tokens; t++)
      for (let h = 0; h < heads; h++) {
        const g = Math.floor(h / (heads / groups));
        const row = (of: Int8Array, each: number, at: Place) => {
          const rows = Array.from({ length }, (_, j) =>
            Array.from({ length: each }, (_, d) => of[at(j, g, d)]!),
          );
          return (j: number) => rows[j % length]!;
        };
        const at = t * heads + h;
        const to = offset + t + 1;
        const want = attendInt8(
          {
            q: q.subarray(at * size, (at + 1) * size),
            key: row(k, size, keyAt(groups, size)),
            value: row(v, valueSize, valueAt(groups, valueSize)),
            keyScale: (j) => keyScales[scaleAt(groups)(j % length, g)]!,
            valueScale: (j) => valueScales[scaleAt(groups)(j % length, g)]!,
            from: left < 0 ? 0 : Math.max(0, to - 1 - left),
            to,
            scale,
            softcap,
            ...(hasMask && { bias: (j: number) => mask[h * length + j]! }),
          },
          valueSize,
        );
        same(y.subarray(at * valueSize, (at + 1) * valueSize), want);
      }
  });
});

const caches = [
  ["cacheKeys", cacheKeys, keySizeOf, keyAt],
  ["cacheValues", cacheValues, (size: number) => size, valueAt],
] as const;

describe.each(caches)("%s", (_, cache, sizeIn, at) => {
  test.each([0, 1, 3, 4, 8, 17, 64])("heads of %i", (size) => {
    const next = random(size);
    for (const [position, tokens, length, groups] of [
      [0, 3, 32, 2],
      [62, 5, 64, 3],
      [7, 1, 32, 1],
      [5, 0, 32, 1],
    ] as const) {
      const x = fillFloats(alloc(Float32Array, tokens * groups * size), next, -3, 3);
      if (size > 0) {
        x.fill(0, 0, size);
        x.fill(1e-44, size, 2 * size);
      }
      const state = alloc(Int8Array, length * groups * sizeIn(size)).fill(0);
      const scales = alloc(Float32Array, length * groups).fill(0);
      const count = tokens * groups;
      const [to, s, from] = [state.byteOffset, scales.byteOffset, x.byteOffset];
      const run = (begin: number, end: number) =>
        cache(to, s, from, groups, size, position, length, begin, end);
      const cut = Math.floor(next() * (count + 1));
      run(cut, count);
      run(0, cut);
      const want = { codes: new Int8Array(state.length), scales: new Float32Array(scales.length) };
      for (let r = 0; r < count; r++) {
        const [place, g] = [(position + Math.floor(r / groups)) % length, r % groups];
        const { codes, scale } = codesOf(x.subarray(r * size, (r + 1) * size));
        for (const [d, code] of codes.entries()) want.codes[at(groups, size)(place, g, d)] = code;
        want.scales[scaleAt(groups)(place, g)] = scale;
      }
      same(state, want.codes);
      same(scales, want.scales);
      expect(brokenGuard()).toBeUndefined();
    }
  });

  test("infinities and NaN are codes too", () => {
    const x = alloc(Float32Array, 8);
    x.set([Number.NaN, 1, -2, 0.5, Infinity, 1, 2, 3]);
    const state = alloc(Int8Array, 32 * 8);
    const scales = alloc(Float32Array, 64);
    cache(state.byteOffset, scales.byteOffset, x.byteOffset, 2, 4, 0, 32, 0, 2);
    const row = (g: number) => [0, 1, 2, 3].map((d) => state[at(2, 4)(0, g, d)]);
    expect([...row(0), ...row(1)]).toEqual([0, 64, -127, 32, 0, 0, 0, 0]);
    expect(scales[scaleAt(2)(0, 1)]).toBe(Infinity);
  });
});
