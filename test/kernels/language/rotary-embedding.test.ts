import { beforeEach, expect, test } from "vitest";
import { inPieces, same } from "../float";
import { alloc, brokenGuard, fillFloats, fillInts, loadCommon, random, reset } from "../harness";

const { rotaryEmbedding } = loadCommon();
beforeEach(reset);

const f = Math.fround;
const NONE = 0;

/** Sizes of a head and how many of its elements are turned. */
const HEADS = [
  [0, 0],
  [2, 2],
  [3, 2],
  [6, 6],
  [8, 8],
  [17, 10],
  [34, 34],
  [64, 64],
  [65, 32],
] as const;
const LAYOUTS = [
  { what: "tokens of heads", batch: 2, heads: 3, tokens: 5, isFlat: true },
  { what: "heads of tokens", batch: 2, heads: 3, tokens: 4, isFlat: false },
  { what: "one token", batch: 1, heads: 2, tokens: 1, isFlat: true },
];

test.each(
  HEADS.flatMap(([size, turned]) => LAYOUTS.map((layout) => ({ size, turned, ...layout }))),
)("$turned of $size elements, $what", ({ size, turned, batch, heads, tokens, isFlat }) => {
  const next = random(size + tokens);
  const half = turned / 2;
  const extent = 9;
  const rows = isFlat ? batch * tokens : batch * heads * tokens;
  const inRow = isFlat ? heads : 1;
  const x = fillFloats(alloc(Float32Array, batch * heads * tokens * size), next, -2, 2);
  const y = alloc(Float32Array, x.length);
  const angles = Math.max(extent, batch * tokens) * half;
  const [cos, sin] = [alloc(Float32Array, angles), alloc(Float32Array, angles)];
  for (const values of [cos, sin]) fillFloats(values, next, -1, 1);
  const positions = fillInts(alloc(Int32Array, batch * tokens), next, -extent - 2, extent + 1);
  for (const interleaved of [0, 1])
    for (const [at, perBatch] of [
      [NONE, tokens],
      [NONE, 0],
      [positions.byteOffset, tokens],
    ] as const) {
      const rowsOfBatch = rows / batch;
      const run = (to: Float32Array, from: Float32Array) => (b: number, e: number) =>
        rotaryEmbedding(
          to.byteOffset,
          from.byteOffset,
          cos.byteOffset,
          sin.byteOffset,
          at,
          inRow,
          size,
          half,
          interleaved,
          tokens,
          rowsOfBatch,
          perBatch,
          extent,
          b,
          e,
        );
      const want = Array.from(x);
      for (let r = 0; r < rows; r++) {
        const entry = Math.floor(r / rowsOfBatch) * perBatch + (r % tokens);
        const named = positions[entry]!;
        const row = at ? Math.max(0, Math.min(extent - 1, named < 0 ? named + extent : named)) : entry;
        for (let h = 0; h < inRow; h++)
          for (let i = 0; i < half; i++) {
            const start = (r * inRow + h) * size;
            const [a, b] = interleaved ? [start + 2 * i, start + 2 * i + 1] : [start + i, start + half + i];
            const [c, s] = [cos[row * half + i]!, sin[row * half + i]!];
            want[a] = f(f(c * x[a]!) - f(s * x[b]!));
            want[b] = f(f(s * x[a]!) + f(c * x[b]!));
          }
      }
      inPieces(y, rows, next, run(y, x));
      same(y, want);
      const own = x.slice();
      run(x, x)(0, rows);
      same(x, want);
      x.set(own);
      expect(brokenGuard()).toBeUndefined();
    }
});
