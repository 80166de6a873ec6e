import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { inflate } from "../../src/formats/deflate";

/** Numbers that repeat what was, from near and far, the more the less `fresh` of them are new. */
function bytesOf(length: number, fresh: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = length;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let i = 0; i < length; i++)
    bytes[i] = i > 0 && next(100) >= fresh ? bytes[i - 1 - next(Math.min(i, 40_000))]! : next(1 + next(256));
  return bytes;
}

const same = (got: Uint8Array, expected: Uint8Array) => Buffer.compare(got, expected) === 0;

describe("inflate", () => {
  // Levels and strategies of zlib: stored blocks, fixed codes, codes of Huffman alone, runs of one byte.
  test.each([
    { level: 0 },
    { level: 1, memLevel: 1 },
    { level: 9 },
    { strategy: 1 },
    { strategy: 2 },
    { strategy: 3 },
    { strategy: 4 },
  ])("reads what zlib writes with %o", (options) => {
    for (const [length, fresh] of [
      [0, 0],
      [1, 100],
      [300, 0],
      [70_000, 3],
      [70_000, 60],
      [9_000, 100],
    ] as const) {
      const bytes = bytesOf(length, fresh);
      const deflated = deflateRawSync(bytes, options);
      const out = new Uint8Array(length);
      expect(inflate(deflated, out)).toBe(length);
      expect(same(out, bytes)).toBe(true);
      // What stands behind is not read, bytes beyond the place for them are not written.
      expect(inflate(Buffer.concat([deflated, bytes]), new Uint8Array(length + 9))).toBe(length);
      if (length > 0) expect(inflate(deflated, new Uint8Array(length - 1))).toBeUndefined();
      expect(() => inflate(deflated.subarray(0, -1), new Uint8Array(length))).toThrow("ends within a block");
    }
  });

  test.each([
    ["a block of no kind", [0b111]],
    ["two sizes", [0b001, 1, 0, 1, 0, 7]],
    // Fixed codes.
    ["a symbol of no length", [0x1b, 0x03, 0]],
    ["bits that are no symbol", [0x03, 0x7e, 0]],
    ["a distance beyond the first byte", [0x03, 0x02, 0]],
    // Codes of their own: four symbols of one bit, a length to repeat before the first.
    ["a code with too many symbols", [0x05, 0x00, 0x92, 0x04, 0, 0]],
    ["no length to repeat", [0x05, 0x00, 0x02, 0, 0, 0, 0, 0]],
    ["ends within a block", []],
  ])("refuses %s", (message, bytes) => {
    expect(() => inflate(Uint8Array.from(bytes), new Uint8Array(300))).toThrow(message);
  });
});
