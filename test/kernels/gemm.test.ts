import { beforeEach, describe, expect, test } from "vitest";
import { gemmScratchBytes, packedBytes } from "../../assembly/f32/sizes";
import { inPieces, same } from "./float";
import { alloc, brokenGuard, fillFloats, int, loadCommon, place, random, reset } from "./harness";

const kernels = loadCommon();
beforeEach(reset);

/** Products and sums rounded one by one, k ascending, bias last. */
function reference(
  x: Float32Array,
  w: (c: number, k: number) => number,
  bias: Float32Array | undefined,
  k: number,
) {
  return (row: number, ldx: number, c: number, lo: number, hi: number) => {
    let sum = 0;
    for (let i = 0; i < k; i++) sum = Math.fround(sum + Math.fround(x[row * ldx + i]! * w(c, i)));
    return Math.min(Math.max(bias ? Math.fround(sum + bias[c]!) : sum, lo), hi);
  };
}

const SHAPES = [
  [0, 5, 7],
  [1, 1, 1],
  [1, 17, 3],
  [1, 40, 33],
  [2, 8, 4],
  [3, 3, 17],
  [4, 4, 1],
  [5, 9, 16],
  [7, 24, 5],
  [9, 1, 65],
  [17, 31, 17],
  [33, 16, 100],
  [6, 8, 20000],
  [2051, 5, 2],
] as const;

describe("gemm, gemv and packWeights", () => {
  test.each(SHAPES)("%i × %i × %i, both layouts of w: bit-equal to scalar f32", (rows, n, k) => {
    const next = random(rows * 31 + n * 7 + k);
    const ldx = k + int(next, 0, 3);
    const ldy = n + int(next, 0, 3);
    const x = fillFloats(alloc(Float32Array, rows * ldx), next, -2, 2);
    const w = fillFloats(alloc(Float32Array, n * k), next, -1, 1);
    const biasValues = fillFloats(alloc(Float32Array, n), next, -1, 1);
    const y = alloc(Float32Array, rows * ldy);
    const scratch = alloc(Uint8Array, gemmScratchBytes(rows, k));
    const packed = alloc(Uint8Array, packedBytes(n, k));
    for (const [bias, transposed, lo, hi] of [
      [biasValues, true, 0, 6],
      [undefined, false, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    ] as const) {
      const at = transposed
        ? (c: number, i: number) => w[c * k + i]!
        : (c: number, i: number) => w[i * n + c]!;
      const one = reference(x, at, bias, k);
      kernels.packWeights(
        packed.byteOffset,
        w.byteOffset,
        n,
        1,
        k,
        transposed ? k : 1,
        0,
        transposed ? 1 : n,
      );
      const [to, from, b, p] = [y.byteOffset, x.byteOffset, bias?.byteOffset ?? 0, packed.byteOffset];
      inPieces(y, rows, next, (begin, end) =>
        kernels.gemm(to, ldy, from, ldx, p, b, scratch.byteOffset, n, k, lo, hi, begin, end),
      );
      for (let r = 0; r < rows; r++) {
        const expected = Array.from({ length: n }, (_, c) => one(r, ldx, c, lo, hi));
        same(y.subarray(r * ldy, r * ldy + n), expected);
      }
      if (rows === 0) continue;
      const row = alloc(Float32Array, n);
      const panels = Math.ceil(n / 8);
      const cut = int(next, 0, panels);
      kernels.gemv(row.byteOffset, from, p, b, n, k, lo, hi, cut, panels);
      kernels.gemv(row.byteOffset, from, p, b, n, k, lo, hi, 0, cut);
      same(row, y.subarray(0, n));
      expect(brokenGuard()).toBeUndefined();
    }
  });

  test("packs a convolution's kernels, channels innermost, and pads columns with zeros", () => {
    const [n, taps, channels] = [11, 9, 5];
    const w = fillFloats(alloc(Float32Array, n * taps * channels), random(1), -1, 1);
    const packed = alloc(Float32Array, packedBytes(n, taps * channels) / 4);
    // OIHW: [n][channels][taps]
    kernels.packWeights(packed.byteOffset, w.byteOffset, n, taps, channels, taps * channels, 1, taps);
    const expected: number[] = [];
    for (let j = 0; j < n; j += 8)
      for (let tap = 0; tap < taps; tap++)
        for (let c = 0; c < channels; c++)
          for (let i = j; i < j + 8; i++) expected.push(i < n ? w[(i * channels + c) * taps + tap]! : 0);
    same(packed, expected);
    expect(brokenGuard()).toBeUndefined();
  });

  test("infinities and NaN stay in their row", () => {
    const x = place(Float32Array, [1, 2, 3, Number.NaN, 1, 1, Number.POSITIVE_INFINITY, 0, 0, 4, 5, 6]);
    const w = place(Float32Array, [1, 1, 1]);
    const packed = alloc(Uint8Array, packedBytes(1, 3));
    const y = alloc(Float32Array, 4);
    const scratch = alloc(Uint8Array, gemmScratchBytes(4, 3));
    kernels.packWeights(packed.byteOffset, w.byteOffset, 1, 1, 3, 3, 0, 1);
    const all = Number.POSITIVE_INFINITY;
    kernels.gemm(
      y.byteOffset,
      1,
      x.byteOffset,
      3,
      packed.byteOffset,
      0,
      scratch.byteOffset,
      1,
      3,
      -all,
      all,
      0,
      4,
    );
    same(y, [6, Number.NaN, all, 15]);
  });
});
