// What floats that follow from sizes are rounded to, against f32 arithmetic on numbers.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Dim, evaluateDim } from "../../src/graph/symbols";
import { type Real, realOf, realProduct, realQuotient, realRounded, realSum } from "../../src/ops/real";

type Step = readonly [op: "add" | "sub" | "mul" | "div" | "down" | "up" | "cut", number: number];
const rounds = { down: Math.floor, up: Math.ceil, cut: Math.trunc };

/** The steps after each other, as dimensions and as f32 numbers. */
function computed(steps: readonly Step[], size: number): readonly [Real | undefined, number] {
  let real = realOf("n");
  let value = Math.fround(size);
  for (const [op, number] of steps) {
    if (op === "down" || op === "up" || op === "cut") {
      real = real && realRounded(real, op);
      value = rounds[op](value);
      continue;
    }
    const other = realOf(number);
    if (op === "add" || op === "sub") real = real && other && realSum(real, other, op === "add" ? 1 : -1);
    else real = real && other && (op === "mul" ? realProduct : realQuotient)(real, other);
    const f32 = Math.fround(number);
    value = Math.fround(
      op === "add" ? value + f32 : op === "sub" ? value - f32 : op === "mul" ? value * f32 : value / f32,
    );
  }
  return [real, value];
}

const isMet = ({ needs }: Real, n: number) => needs.every((dim: Dim) => evaluateDim(dim, { n }) >= 0);

describe("floats of sizes", () => {
  test("are rounded to what f32 arithmetic gives wherever they are told", () => {
    const number = fc.oneof(
      fc.integer({ min: -320, max: 320 }),
      fc.integer({ min: -9, max: 9 }).map((n) => n / 8),
    );
    const step: fc.Arbitrary<Step> = fc.tuple(
      fc.constantFrom("add", "sub", "mul", "div", "down", "up", "cut"),
      number,
    );
    const size = fc.oneof(
      fc.nat(4000),
      fc.nat(2 ** 25),
      fc.tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: -3, max: 3 })).map(([e, d]) => 2 ** e + d),
    );
    let told = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 5 }), size, (steps, n) => {
        const [real, value] = computed([...steps, ["cut", 0]], Math.max(0, n));
        if (!real || !isMet(real, Math.max(0, n))) return;
        told++;
        expect(evaluateDim(real.of, { n: Math.max(0, n) }) + 0).toBe(value + 0);
      }),
      { numRuns: 4000 },
    );
    expect(told).toBeGreaterThan(1000);
  });

  test("are no longer told after MAX_WAY quotients; one that is added to itself is one of them", () => {
    let real = realOf("n");
    for (let i = 0; i < 31; i++) real = real && realSum(real, realOf(0)!, 1);
    expect(real!.way.length).toBe(2);
    real = realOf("n");
    for (let i = 0; i < 30; i++) real = real && realSum(real, real, 1);
    expect(real!.way.length).toBe(31);
    for (let i = 0; i < 2; i++) real = real && realSum(real, real, 1);
    expect(real).toBeUndefined();
  });

  test("as PyTorch exports the frames of a convolution, up to millions of samples", () => {
    for (const [kernel, total, stride] of [
      [7, 6, 1],
      [10, 5, 5],
      [16, 8, 8],
      [3, 2, 3],
    ] as const)
      for (let n = 1; n < 5_000_000; n += n < 2000 ? 1 : 9973) {
        const steps: Step[] = [
          ["sub", kernel],
          ["add", total],
          ["div", stride],
          ["add", 1],
          ["up", 0],
          ["sub", 1],
        ];
        const [real, value] = computed(steps, n);
        expect(isMet(real!, n)).toBe(true);
        expect(evaluateDim(real!.of, { n })).toBe(value);
      }
  });

  test("what f32 rounds to another whole number is refused by what has to be", () => {
    const steps: Step[] = [
      ["add", 1],
      ["up", 0],
    ];
    const [real, value] = computed(steps, 2 ** 24);
    expect(value).not.toBe(2 ** 24 + 1);
    expect(isMet(real!, 2 ** 24)).toBe(false);
    expect(isMet(real!, 2 ** 22)).toBe(true);
  });

  test("are not told where a rounded quotient is multiplied, or numbers have no f32 of few digits", () => {
    expect(
      computed(
        [
          ["div", 3],
          ["mul", 3],
          ["down", 0],
        ],
        1,
      )[0],
    ).toBeUndefined();
    expect(
      computed(
        [
          ["mul", 0.1],
          ["down", 0],
        ],
        1,
      )[0],
    ).toBeUndefined();
    expect(
      computed(
        [
          ["div", 0],
          ["down", 0],
        ],
        1,
      )[0],
    ).toBeUndefined();
    expect(
      realSum(realQuotient(realOf("n")!, realOf(3)!)!, realQuotient(realOf("n")!, realOf(3)!)!, 1),
    ).toBeUndefined();
  });
});
