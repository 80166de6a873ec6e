import { beforeEach, describe, expect, test } from "vitest";
import { inPieces } from "../../kernels/float";
import {
  alloc,
  brokenGuard,
  expectSame,
  fillFloats,
  fillInts,
  int,
  loadTrain,
  place,
  random,
  reset,
} from "../../kernels/harness";
import { requantize, rne } from "../../kernels/oracle-int8";
import { maskOf } from "./bits";

const kernels = loadTrain();
beforeEach(reset);
const f = Math.fround;
const inf = Number.POSITIVE_INFINITY;

interface Case {
  readonly zero: number;
  readonly qlo: number;
  readonly qhi: number;
  readonly lo: number;
  readonly hi: number;
}

const CASES: readonly Case[] = [
  { zero: 117, qlo: 0, qhi: 255, lo: -inf, hi: inf },
  { zero: 0, qlo: 0, qhi: 255, lo: 0, hi: inf },
  { zero: 10, qlo: 10, qhi: 255, lo: 0, hi: inf },
  { zero: 3, qlo: 3, qhi: 151, lo: 0, hi: 6 },
  { zero: 255, qlo: 20, qhi: 240, lo: -2, hi: f(-0.1) },
];

/** Codes and mask from numerics.md, compared with the kernel's whole and in pieces. */
function check(
  sums: Int32Array,
  m: Float32Array,
  s: Float32Array,
  samples: number,
  pixels: number,
  { zero, qlo, qhi, lo, hi }: Case,
): void {
  const channels = m.length;
  const count = pixels * channels;
  const y = alloc(Uint8Array, sums.length);
  const mask = alloc(Uint8Array, samples * Math.ceil(count / 8));
  const run = (to: number) => (begin: number, end: number) =>
    kernels.requantizeMasked(
      y.byteOffset,
      to,
      sums.byteOffset,
      m.byteOffset,
      s.byteOffset,
      pixels,
      channels,
      zero,
      qlo,
      qhi,
      lo,
      hi,
      begin,
      end,
    );
  const codes = Uint8Array.from(sums, (sum, i) =>
    requantize(sum, m[i % channels]!, { zero, lo: qlo, hi: qhi }),
  );
  const expected = maskOf(samples, count, (i) => {
    const x = f(f(sums[i]!) * s[i % channels]!);
    const q = rne(f(f(sums[i]!) * m[i % channels]!)) + zero;
    return lo < x && x < hi && q >= 0 && q <= 255;
  });
  const next = random(sums.length + zero);
  inPieces(y, samples, next, run(mask.byteOffset));
  expectSame(y, codes);
  inPieces(mask, samples, next, run(mask.byteOffset));
  expectSame(mask, expected);
  inPieces(y, samples, next, run(0));
  expectSame(y, codes);
}

describe("requantizeMasked", () => {
  test.each([
    [0, 4, 4],
    [3, 1, 1],
    [2, 3, 1],
    [3, 5, 3],
    [4, 1, 10],
    [2, 7, 17],
    [3, 4, 4],
    [2, 9, 8],
    [2, 3, 20],
    [2, 5, 64],
    [1, 1, 15],
    [1, 1, 16],
    [3, 33, 2],
  ])("%i samples of %i pixels × %i channels", (samples, pixels, channels) => {
    const next = random(samples + 7 * pixels + 31 * channels);
    const sums = alloc(Int32Array, samples * pixels * channels);
    const m = fillFloats(alloc(Float32Array, channels), next, 0.001, 0.03);
    const s = place(
      Float32Array,
      m.map((v) => v * 0.0373),
    );
    for (const bounds of CASES)
      for (const most of [9000, 300, 2 ** 31 - 1]) {
        fillInts(sums, next, -most, most);
        check(sums, m, s, samples, pixels, bounds);
      }
  });

  test("ties, both ends of the codes and of the activation, −0 and extremes", () => {
    const channels = 6;
    const m = place(Float32Array, [0.5, 0.25, 1, 2 ** 100, 2 ** -100, f(0.1)]);
    const s = place(Float32Array, [0.5, 0.25, 1, 1, 1, f(0.1)]);
    const pixels = 1400;
    const next = random(5);
    const sums = alloc(Int32Array, pixels * channels).map((_, i) => Math.floor(i / channels) - 700);
    const placed = place(Int32Array, sums);
    for (let i = 0; i < 20; i++) placed[int(next, 0, placed.length - 1)] = i & 1 ? -(2 ** 31) : 2 ** 31 - 1;
    for (const bounds of CASES) check(placed, m, s, 1, pixels, bounds);
    expect(brokenGuard()).toBeUndefined();
  });

  test("a ReLU passes nothing at or below 0, although codes just below round to 0's", () => {
    const sums = place(Int32Array, [-1, 0, 1]);
    const [m, s] = [place(Float32Array, [0.25]), place(Float32Array, [0.01])];
    const y = alloc(Uint8Array, 3);
    const mask = alloc(Uint8Array, 1);
    const at = [y, mask, sums, m, s].map((a) => a.byteOffset) as [number, number, number, number, number];
    kernels.requantizeMasked(...at, 3, 1, 0, 0, 255, 0, inf, 0, 1);
    expect([...y]).toEqual([0, 0, 0]);
    expect([...mask]).toEqual([0b100]);
    kernels.requantizeMasked(...at, 3, 1, 0, 0, 255, -inf, inf, 0, 1);
    expect([...mask]).toEqual([0b111]);
  });
});
