// The arithmetic coder: what is written is read again, in little more space than its entropy, and nothing else is read.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/errors";
import { Odds, RangeReader, RangeWriter } from "../../src/formats/range-coder";
import { Random } from "../../src/graph/random";

function written(bits: readonly number[], contextOf = (_: number) => 0): Uint8Array {
  const writer = new RangeWriter();
  const odds = new Odds(4);
  bits.forEach((bit, i) => {
    expect(writer.code(odds, contextOf(i), bit)).toBe(bit);
  });
  return writer.finish();
}

function read(bytes: Uint8Array, count: number, contextOf = (_: number) => 0): number[] {
  const reader = new RangeReader(bytes, "bits");
  const odds = new Odds(4);
  const bits = Array.from({ length: count }, (_, i) => reader.code(odds, contextOf(i), 0));
  reader.finish();
  return bits;
}

/** Bits of which a share are 1. */
const bitsOf = (share: number, count: number) => {
  const random = new Random(count);
  return Array.from({ length: count }, () => (random.uniform() < share ? 1 : 0));
};

describe("what is written is read again", () => {
  test("any bits in any contexts", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1), { maxLength: 300 }), fc.nat(7), (bits, mask) => {
        const contextOf = (i: number) => i & mask & 3;
        expect(read(written(bits, contextOf), bits.length, contextOf)).toEqual(bits);
      }),
      { numRuns: 500 },
    );
  });

  test.each([0, 1e-4, 0.5, 0.999, 1])("a share of %f is 1, with odds as far off as they go", (share) => {
    const bits = bitsOf(share, 100_000);
    bits[50_000]! ^= 1;
    expect(read(written(bits), bits.length)).toEqual(bits);
  });

  test("an interval about the middle, which takes no byte off", () => {
    // Alternating bits at even odds keep low below and high above 2^31 for as long as there is room.
    const writer = new RangeWriter();
    const fresh = Array.from({ length: 200 }, () => new Odds(1));
    for (const [i, odds] of fresh.entries()) writer.code(odds, 0, i === 0 ? 1 : 0);
    const reader = new RangeReader(writer.finish(), "bits");
    const again = fresh.map(() => reader.code(new Odds(1), 0, 0));
    reader.finish();
    expect(again).toEqual([1, ...new Array(199).fill(0)]);
  });
});

test.each([0.01, 0.1, 0.3, 0.5])("a share of %f takes its entropy and at most 4 %% more", (p) => {
  const count = 100_000;
  const entropy = (-(p * Math.log2(p) + (1 - p) * Math.log2(1 - p)) * count) / 8;
  expect(written(bitsOf(p, count)).length).toBeLessThan(1.04 * entropy);
});

test("bytes that are too few or too many are an error", () => {
  const bytes = written(bitsOf(0.5, 1000));
  expect(() => read(bytes.subarray(0, -1), 1000)).toThrow(FormatError);
  expect(() => read(bytes.subarray(0, 3), 1000)).toThrow(/bits: damaged, it ends too soon/);
  expect(() => read(Uint8Array.of(...bytes, 0), 1000)).toThrow(/bits: damaged, it goes on after its end/);
});
