import { beforeEach, describe, expect, test } from "vitest";
import { BYTE, INTEGER, REAL, SIGNED_BYTE } from "../../assembly/elementwise/types";
import { inPieces, same, ulps } from "./float";
import { alloc, loadCommon, place, random, reset } from "./harness";

const kernels = loadCommon();
beforeEach(reset);

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

const types = { f32: REAL, i32: INTEGER, u8: BYTE, i8: SIGNED_BYTE } as const;
type Type = keyof typeof types;
const views = { f32: Float32Array, i32: Int32Array, u8: Uint8Array, i8: Uint8Array } as const;

/** A number as memory holds it: of i8 with the top bit flipped. */
const held = (type: Type, x: number) => (type === "i8" ? (x ^ 0x80) & 255 : x);
const meant = (type: Type, x: number) => (type === "i8" ? ((x ^ 0x80) << 24) >> 24 : x);
/** What is left of a result in its type. */
const kept = (type: Type, x: number) => meant(type, new views[type]([held(type, x)])[0]!);

const ends: Readonly<Record<Type, readonly number[]>> = {
  f32: [0, -0, 1.5, -2.5, nan, inf, -inf, 3],
  i32: [-0x80000000, 0x7fffffff, -1, 0, 1, 7, -7, 0x12345],
  u8: [0, 255, 1, 2, 128, 127, 7, 3],
  i8: [-128, 127, -1, 0, 1, 7, -7, 3],
};

type Pair = (a: number, b: number, type: Type) => number;
const wrapped =
  (of: Pair): Pair =>
  (a, b, type) =>
    kept(type, of(a, b, type));
const integers = ["i32", "u8", "i8"] as const;
const all = ["f32", ...integers] as const;
const shift = (of: (a: number, b: number) => number) => (a: number, b: number) =>
  b < 0 || b > 31 ? 0 : of(a, b);

const functions: readonly (readonly [string, readonly Type[], Pair])[] = [
  ["broadcastAdd", all, wrapped((a, b) => a + b)],
  ["broadcastSub", all, wrapped((a, b) => a - b)],
  ["broadcastMul", all, wrapped((a, b, type) => (type === "f32" ? a * b : Math.imul(a, b)))],
  ["broadcastDiv", all, wrapped((a, b, type) => (type === "f32" ? a / b : b === 0 ? 0 : Math.trunc(a / b)))],
  ["maximum", all, (a, b) => Math.max(a, b)],
  ["minimum", all, (a, b) => Math.min(a, b)],
  ["modulo", integers, (a, b, type) => (b === 0 ? 0 : kept(type, a - b * Math.floor(a / b)))],
  ["fmod", all, (a, b, type) => (b === 0 && type !== "f32" ? 0 : type === "f32" ? a % b : (a % b) + 0)],
  ["pRelu", all, wrapped((a, b, type) => (a < 0 ? (type === "f32" ? a * b : Math.imul(a, b)) : a))],
  ["bitAnd", integers, (a, b) => a & b],
  ["bitOr", integers, (a, b) => a | b],
  ["bitXor", integers, (a, b) => a ^ b],
  ["shiftLeft", ["i32", "u8"], wrapped(shift((a, b) => a << b))],
  ["shiftRight", ["u8"], shift((a, b) => a >>> b)],
];

/** Extents of five loops, and which of them the operands walk. */
type Walk = readonly [extents: readonly number[], a: readonly number[], b: readonly number[]];
const walks: readonly Walk[] = [
  [
    [17, 1, 1, 1, 1],
    [1, 0, 0, 0, 0],
    [1, 0, 0, 0, 0],
  ],
  [
    [9, 1, 1, 1, 1],
    [1, 0, 0, 0, 0],
    [0, 0, 0, 0, 0],
  ],
  [
    [3, 1, 1, 1, 5],
    [1, 0, 0, 0, 1],
    [0, 0, 0, 0, 1],
  ],
  [
    [3, 1, 1, 4, 5],
    [1, 0, 0, 1, 0],
    [1, 0, 0, 0, 1],
  ],
  [
    [2, 3, 2, 3, 4],
    [1, 0, 1, 0, 1],
    [0, 1, 0, 1, 0],
  ],
  [
    [0, 1, 1, 1, 4],
    [1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1],
  ],
];

/** Index into an operand of each element. */
function indices([extents, ...walked]: Walk, operand: number): number[] {
  const walks = walked[operand]!;
  let all = [0];
  let stride = 1;
  const strides = extents.map(() => 0);
  for (let i = 4; i >= 0; i--) {
    if (!walks[i]) continue;
    strides[i] = stride;
    stride *= extents[i]!;
  }
  for (const [i, extent] of extents.entries())
    all = all.flatMap((at) => Array.from({ length: extent }, (_, k) => at + k * strides[i]!));
  return all;
}

const bitsOf = ([, a, b]: Walk) => [...a, ...b].reduce((bits, isWalked, i) => bits | (isWalked << i), 0);

const numbersOf = (type: Type, count: number, next: () => number) =>
  Array.from({ length: count }, () => ends[type][Math.floor(next() * ends[type].length)]!);

const cases = functions.flatMap(([name, dtypes, of]) => dtypes.map((type) => [name, type, of] as const));

describe.each(cases)("%s of %s", (name, type, of) => {
  const run = kernels[name as "bitAnd"];

  test.each(walks.map((walk) => [walk]))("loops %j", (walk) => {
    const next = random(3);
    const [at, bt] = [indices(walk, 0), indices(walk, 1)];
    const [a, b] = [at, bt].map((list) => numbersOf(type, Math.max(0, ...list) + 1, next)) as [
      number[],
      number[],
    ];
    const [x, z] = [a, b].map((list) =>
      place(
        views[type] as typeof Uint8Array,
        list.map((v) => held(type, v)),
      ),
    );
    const y = alloc(views[type] as typeof Uint8Array, at.length);
    const [count, ...inner] = walk[0] as [number, number, number, number, number];
    inPieces(y.length ? y : y, count, next, (begin, end) =>
      run(
        y.byteOffset,
        x!.byteOffset,
        z!.byteOffset,
        types[type],
        bitsOf(walk),
        ...(inner as [number, number, number, number]),
        begin,
        end,
      ),
    );
    same(
      Array.from(y, (v) => meant(type, v)),
      at.map((i, k) => of(a[i]!, b[bt[k]!]!, type)),
    );
  });
});

describe.each([
  ["equal", (a: number, b: number) => a === b],
  ["less", (a: number, b: number) => a < b],
  ["lessOrEqual", (a: number, b: number) => a <= b],
] as const)("%s", (name, of) => {
  test.each(all.map((type) => [type]))("%s", (type) => {
    const values = ends[type];
    const pairs = values.flatMap((a) => values.map((b) => [a, b] as const));
    const [x, z] = [0, 1].map((i) =>
      place(
        views[type] as typeof Uint8Array,
        pairs.map((pair) => held(type, pair[i]!)),
      ),
    );
    const y = alloc(Uint8Array, pairs.length);
    inPieces(y, y.length, random(4), (begin, end) =>
      kernels[name](y.byteOffset, x!.byteOffset, z!.byteOffset, types[type], 33, 1, 1, 1, 1, begin, end),
    );
    same(
      y,
      pairs.map(([a, b]) => Number(of(a, b))),
    );
  });
});

describe("power", () => {
  test("within 1 ulp", () => {
    const next = random(5);
    const n = 100_000;
    const [x, z, y] = [0, 1, 2].map(() => alloc(Float32Array, n)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    for (let i = 0; i < n; i++) {
      x[i] = 10 ** (60 * next() - 30);
      z[i] = (next() - 0.5) * (i % 2 === 0 ? 4 : 80);
    }
    kernels.power(y.byteOffset, x.byteOffset, z.byteOffset, REAL, 33, 1, 1, 1, 1, 0, n);
    for (let i = 0; i < n; i++) {
      const expected = x[i]! ** z[i]!;
      if (expected < 3.4e38) expect(ulps(y[i]!, expected), `${x[i]} ^ ${z[i]}`).toBeLessThanOrEqual(1);
    }
  });

  test("ends as C's pow has them", () => {
    const values = [0, -0, 1, -1, inf, -inf, nan, 2, -2, 0.5, -0.5, 3, -3, 1e30, 1e-45];
    const pairs = values.flatMap((a) => values.map((b) => [a, b] as const));
    const [x, z] = [0, 1].map((i) =>
      place(
        Float32Array,
        pairs.map((pair) => pair[i]!),
      ),
    );
    const y = alloc(Float32Array, pairs.length);
    kernels.power(y.byteOffset, x!.byteOffset, z!.byteOffset, REAL, 33, 1, 1, 1, 1, 0, y.length);
    const exact = (a: number, b: number) => (a === 1 || (a === -1 && Math.abs(b) === inf) ? 1 : a ** b);
    for (const [i, [a, b]] of pairs.entries()) {
      const expected = Math.fround(exact(Math.fround(a), Math.fround(b)));
      if (Number.isFinite(expected))
        expect(ulps(y[i]!, exact(Math.fround(a), b)), `${a} ^ ${b}`).toBeLessThanOrEqual(1);
      else expect(y[i], `${a} ^ ${b}`).toBe(expected);
    }
  });
});

describe("select", () => {
  test.each(all.map((type) => [type]))("%s", (type) => {
    const next = random(6);
    const n = 33;
    const [a, b] = [0, 1].map(() => numbersOf(type, n, next)) as [number[], number[]];
    const conditions = Array.from({ length: n }, () => (next() < 0.5 ? 0 : 1));
    const [x, z] = [a, b].map((list) =>
      place(
        views[type] as typeof Uint8Array,
        list.map((v) => held(type, v)),
      ),
    );
    const c = place(Uint8Array, conditions);
    const y = alloc(views[type] as typeof Uint8Array, n);
    inPieces(y, n, next, (begin, end) =>
      kernels.select(
        y.byteOffset,
        x!.byteOffset,
        z!.byteOffset,
        c.byteOffset,
        types[type],
        1 + 32 + 1024,
        1,
        1,
        1,
        1,
        begin,
        end,
      ),
    );
    same(
      Array.from(y, (v) => meant(type, v)),
      conditions.map((is, i) => (is ? a : b)[i]!),
    );
  });
});
