import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ALIGNMENT,
  align,
  type SizedBuffer as Buffer,
  findOverlap,
  MAX_MEMORY_BYTES,
  type MemoryMap,
  planMemory,
  SLACK,
} from "../../src/engine/memory";

const bytes = fc.oneof(fc.nat(300), fc.constantFrom(0, 1, 63, 64, 65, 4096));
const constant = bytes.map((size): Buffer => ({ area: "constants", bytes: size, first: 0, last: 0 }));
const arena = fc
  .record({
    size: bytes,
    first: fc.integer({ min: -1, max: 12 }),
    length: fc.constantFrom(0, 1, 2, 5, Infinity),
  })
  .map(({ size, first, length }): Buffer => ({ area: "arena", bytes: size, first, last: first + length }));
/** What an op asked for and no step touches. */
const untouched = bytes.map(
  (size): Buffer => ({ area: "arena", bytes: size, first: Infinity, last: -Infinity }),
);
const buffersOf = fc.array(fc.oneof(constant, arena, arena, arena, untouched), { maxLength: 30 });

const isPlaced = ({ area, first, last }: Buffer) => area === "constants" || first <= last;
const together = (a: Buffer, b: Buffer) =>
  a.area === "constants" || b.area === "constants" || (a.first <= b.last && b.first <= a.last);

/** Any two buffers that share a byte at some time, by looking at all pairs. */
function overlapsOf(buffers: readonly Buffer[], { addresses }: MemoryMap): Buffer[][] {
  const lives = buffers.filter((b) => isPlaced(b) && b.bytes > 0);
  return lives.flatMap((a, i) =>
    lives
      .slice(i + 1)
      .filter((b) => {
        const [x, y] = [addresses.get(a)!, addresses.get(b)!];
        return x < y + b.bytes && y < x + a.bytes && together(a, b);
      })
      .map((b) => [a, b]),
  );
}

describe("a memory plan", () => {
  test("never overlaps itself", () => {
    fc.assert(
      fc.property(buffersOf, fc.nat(5000), (buffers, staging) => {
        const map = planMemory(buffers, staging);
        expect(findOverlap(buffers, map)).toBeUndefined();
        expect(overlapsOf(buffers, map)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("aligns every buffer, keeps all inside the total, and leaves address 0 free", () => {
    fc.assert(
      fc.property(buffersOf, fc.nat(5000), (buffers, staging) => {
        const map = planMemory(buffers, staging);
        expect(map.totalBytes % 65536).toBe(0);
        const end = map.arenaAt + map.arenaBytes;
        expect(end + SLACK).toBeLessThanOrEqual(map.totalBytes);
        expect(map.totalBytes - end - SLACK).toBeLessThan(65536);
        expect(map.arenaBytes).toBeGreaterThanOrEqual(staging);
        for (const buffer of buffers) {
          const at = map.addresses.get(buffer);
          expect(at !== undefined).toBe(isPlaced(buffer));
          if (at === undefined) continue;
          expect(at % ALIGNMENT).toBe(0);
          const [from, to] =
            buffer.area === "constants" ? [map.constantsAt, map.arenaAt] : [map.arenaAt, end];
          expect(at).toBeGreaterThanOrEqual(Math.max(1, from));
          expect(at + buffer.bytes).toBeLessThanOrEqual(to);
        }
      }),
    );
  });

  test("adds constants up, and needs of the arena no less than lives at once and no more than all of it", () => {
    fc.assert(
      fc.property(buffersOf, (buffers) => {
        const map = planMemory(buffers, 0);
        const sum = (some: readonly Buffer[]) => some.reduce((n, b) => n + align(b.bytes), 0);
        expect(map.constantBytes).toBe(sum(buffers.filter((b) => b.area === "constants")));
        const lives = buffers.filter((b) => b.area === "arena" && isPlaced(b));
        const peaks = lives.map(({ first }) => sum(lives.filter((b) => b.first <= first && first <= b.last)));
        expect(map.arenaBytes).toBeGreaterThanOrEqual(Math.max(0, ...peaks));
        expect(map.arenaBytes).toBeLessThanOrEqual(sum(lives));
      }),
    );
  });

  test("gives buffers that never meet the same place", () => {
    const chain = Array.from(
      { length: 8 },
      (_, i): Buffer => ({ area: "arena", bytes: 1000, first: i, last: i + 1 }),
    );
    expect(planMemory(chain, 0).arenaBytes).toBe(2 * align(1000));
  });

  test("beyond 32-bit memory is an error that says how to need less", () => {
    for (const size of [MAX_MEMORY_BYTES, 2 ** 60, Infinity, Number.NaN]) {
      const plan = () => planMemory([{ area: "arena", bytes: size, first: 0, last: 0 }], 0);
      expect(plan).toThrow(expect.objectContaining({ code: "limit", hint: expect.stringMatching(/maxima/) }));
    }
  });

  test("of five thousand buffers that all live at once is made within two seconds", () => {
    const buffers = Array.from(
      { length: 5000 },
      (_, i): Buffer => ({ area: "arena", bytes: i, first: 0, last: 1 }),
    );
    const start = performance.now();
    expect(findOverlap(buffers, planMemory(buffers, 0))).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

test("a planted overlap is found, and only where two buffers share a byte while both live", () => {
  let planted = 0;
  fc.assert(
    fc.property(buffersOf, fc.nat(), fc.nat(), fc.integer({ min: -2, max: 2 }), (buffers, i, j, shift) => {
      const lives = buffers.filter(isPlaced);
      fc.pre(lives.length > 1);
      const map = planMemory(buffers, 0);
      const [a, b] = [lives[i % lives.length]!, lives[j % lives.length]!];
      const moved = new Map(map.addresses).set(a, map.addresses.get(b)! + shift * (ALIGNMENT / 2));
      const found = findOverlap(buffers, { ...map, addresses: moved });
      const overlaps = overlapsOf(buffers, { ...map, addresses: moved });
      expect(found !== undefined).toBe(overlaps.length > 0);
      if (!found) return;
      planted++;
      expect(overlaps.some((pair) => found.every((buffer) => pair.includes(buffer)))).toBe(true);
    }),
    { numRuns: 500 },
  );
  expect(planted).toBeGreaterThan(100);
});
