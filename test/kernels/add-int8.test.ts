import { beforeEach, expect, test } from "vitest";
import { inPieces, quantizeOne, SIZES, same } from "./float";
import { alloc, fillInts, loadCommon, random, reset } from "./harness";

const kernels = loadCommon();
beforeEach(reset);

const f = Math.fround;

test.each(SIZES)("addInt8 of %i codes: bit-equal to scalar f32", (n) => {
  const next = random(n + 2);
  const a = fillInts(alloc(Uint8Array, n), next, 0, 255);
  const b = fillInts(alloc(Uint8Array, n), next, 0, 255);
  const y = alloc(Uint8Array, n);
  for (const [as, az, bs, bz, ys, yz, lo, hi] of [
    [0.02, 128, 0.031, 3, 0.04, 77, 0, 255],
    [0.5, 0, 0.5, 255, 1, 128, 128, 255],
    [0.1, 20, 0.001, 9, 0.0004, 0, 5, 250],
    [3e38, 20, 3e38, 90, 1e-30, 100, 3, 250], // infinities, and their difference: NaN, which is the zero point
  ] as const) {
    const [s0, s1, s2] = [f(as), f(bs), f(ys)];
    inPieces(y, n, next, (begin, end) =>
      kernels.addInt8(y.byteOffset, a.byteOffset, b.byteOffset, s0, az, s1, bz, s2, yz, lo, hi, begin, end),
    );
    same(
      y,
      Array.from(a, (q, i) => quantizeOne(f(f((q - az) * s0) + f((b[i]! - bz) * s1)), s2, yz, lo, hi)),
    );
  }
});

test("addInt8 over all pairs of codes, in place", () => {
  const a = alloc(Uint8Array, 65536).map((_, i) => i & 255);
  const to = alloc(Uint8Array, 65536);
  const b = alloc(Uint8Array, 65536);
  to.set(a);
  for (let i = 0; i < 65536; i++) b[i] = i >> 8;
  kernels.addInt8(to.byteOffset, to.byteOffset, b.byteOffset, 0.25, 128, 0.5, 100, 0.5, 90, 0, 255, 0, 65536);
  same(
    to,
    Array.from(a, (q, i) => quantizeOne((q - 128) * 0.25 + ((i >> 8) - 100) * 0.5, 0.5, 90, 0, 255)),
  );
  expect(to[0]).toBe(0);
});
