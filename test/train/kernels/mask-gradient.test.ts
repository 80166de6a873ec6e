import { beforeEach, describe, expect, test } from "vitest";
import { inPieces, SIZES, same } from "../../kernels/float";
import {
  alloc,
  brokenGuard,
  fillFloats,
  fillInts,
  loadTrain,
  place,
  random,
  reset,
} from "../../kernels/harness";
import { maskOf } from "./bits";

const kernels = loadTrain();
beforeEach(reset);

describe("maskGradient", () => {
  test.each(SIZES)("three samples of %i: dy where the bit is set, else +0", (count) => {
    const next = random(count);
    const samples = 3;
    const dy = fillFloats(alloc(Float32Array, samples * count), next, -2, 2);
    const pass = Array.from(dy, () => next() < 0.6);
    // Bits past a sample's end mean nothing.
    const mask = place(
      Uint8Array,
      maskOf(samples, count, (i) => pass[i]!),
    ).map((byte, i) =>
      count % 8 && (i + 1) % Math.ceil(count / 8) === 0 ? byte | (256 - 2 ** (count % 8)) : byte,
    );
    const bits = place(Uint8Array, mask);
    const dx = alloc(Float32Array, dy.length);
    const expected = Array.from(dy, (v, i) => (pass[i] ? v : 0));
    inPieces(dx, samples, next, (begin, end) =>
      kernels.maskGradient(dx.byteOffset, dy.byteOffset, bits.byteOffset, count, begin, end),
    );
    same(dx, expected);
    kernels.maskGradient(dy.byteOffset, dy.byteOffset, bits.byteOffset, count, 0, samples);
    same(dy, expected);
    expect(brokenGuard()).toBeUndefined();
  });
});

describe("lookupGradient", () => {
  test.each(SIZES)("%i elements: dy times the slope of each code", (n) => {
    const next = random(n);
    const codes = fillInts(alloc(Uint8Array, n), next, 0, 255);
    const table = fillFloats(alloc(Float32Array, 256), next, -1, 2);
    const dy = fillFloats(alloc(Float32Array, n), next, -2, 2);
    const dx = alloc(Float32Array, n);
    const expected = Array.from(dy, (v, i) => Math.fround(v * table[codes[i]!]!));
    const run = (to: Float32Array) => (begin: number, end: number) =>
      kernels.lookupGradient(to.byteOffset, dy.byteOffset, codes.byteOffset, table.byteOffset, begin, end);
    inPieces(dx, n, next, run(dx));
    same(dx, expected);
    run(dy)(0, n);
    same(dy, expected);
  });
});
