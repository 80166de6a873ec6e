import { beforeEach, describe, expect, test } from "vitest";
import { inPieces, SIZES, same } from "../../kernels/float";
import { alloc, brokenGuard, fillFloats, fillInts, loadTrain, random, reset } from "../../kernels/harness";
import { maskOf } from "./bits";

const kernels = loadTrain();
beforeEach(reset);

/** Murmur3's last mix. */
function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const isKept = (i: number, seed: number, threshold: number) =>
  mix((Math.imul(i, 0x9e3779b1) + seed) | 0) >= threshold;

const SAMPLES = 3;

describe.each([
  ["a third", 0x55555555],
  ["most", 0xe0000000],
  ["nothing", 0],
  ["all but one in 2^32", 0xffffffff],
])("drops %s", (_, threshold) => {
  test.each(SIZES)("of three samples of %i", (count) => {
    const next = random(count);
    const seed = Math.floor(next() * 2 ** 32);
    const factor = 1.5;
    const x = fillFloats(alloc(Float32Array, SAMPLES * count), next, -2, 2);
    const kept = Array.from(x, (_, i) => isKept(i, seed, threshold));
    const bits = maskOf(SAMPLES, count, (i) => kept[i]!);
    const mask = alloc(Uint8Array, bits.length);
    const y = alloc(Float32Array, x.length);
    const expected = Array.from(x, (v, i) => (kept[i] ? Math.fround(v * factor) : 0));
    const run = (to: Float32Array, bits: number) => (begin: number, end: number) =>
      kernels.dropout(to.byteOffset, bits, x.byteOffset, count, seed, threshold, factor, begin, end);
    inPieces(y, SAMPLES, next, run(y, mask.byteOffset));
    same(y, expected);
    same(mask, bits);
    run(x, 0)(0, SAMPLES);
    same(x, expected);

    const codes = fillInts(alloc(Uint8Array, SAMPLES * count), next, 0, 255);
    const made = alloc(Uint8Array, codes.length);
    const zero = 117;
    const wanted = Array.from(codes, (q, i) => (kept[i] ? q : zero));
    mask.fill(0);
    const runCodes = (to: Uint8Array, bits: number) => (begin: number, end: number) =>
      kernels.dropoutCodes(to.byteOffset, bits, codes.byteOffset, count, seed, threshold, zero, begin, end);
    inPieces(made, SAMPLES, next, runCodes(made, mask.byteOffset));
    same(made, wanted);
    same(mask, bits);
    runCodes(codes, 0)(0, SAMPLES);
    same(codes, wanted);
    expect(brokenGuard()).toBeUndefined();
  });
});
