import { describe, expect, test } from "vitest";
import { checkSchedule, cosineOfHalfTurns, learningRate, type Schedule } from "../../src/train/run/schedules";

const rates = (schedule: Schedule, total: number, lr = 1) =>
  Array.from({ length: total }, (_, step) => learningRate(schedule, lr, step, total));

test("the cosine is Math.cos within 1e-12, exact at both ends", () => {
  for (let i = 0; i <= 10_000; i++)
    expect(Math.abs(cosineOfHalfTurns(i / 10_000) - Math.cos((Math.PI * i) / 10_000))).toBeLessThan(1e-12);
  expect([cosineOfHalfTurns(0), cosineOfHalfTurns(1)]).toEqual([1, -1]);
});

describe("schedules", () => {
  test("constant", () => {
    expect(rates({ kind: "constant" }, 3, 0.25)).toEqual([0.25, 0.25, 0.25]);
  });

  test.each([
    "constant",
    "cosine",
    "step",
  ] as const)("%s warms up in equal steps to the full rate", (kind) => {
    const schedule = { kind, warmup: 4, every: 100 };
    expect(rates(schedule, 10).slice(0, 5)).toEqual([0.25, 0.5, 0.75, 1, 1]);
  });

  test("a cosine starts full, falls all along and would end at its floor", () => {
    const schedule: Schedule = { kind: "cosine", floor: 0.1, warmup: 2 };
    const [, , ...rest] = rates(schedule, 52, 3);
    rest.forEach((rate, i) => {
      const expected = 3 * (0.1 + 0.45 * (1 + Math.cos((Math.PI * i) / 50)));
      expect(Math.abs(rate - expected)).toBeLessThan(1e-12);
      if (i > 0) expect(rate).toBeLessThan(rest[i - 1]!);
    });
    expect(learningRate(schedule, 3, 52, 52)).toBeCloseTo(0.3, 12);
    expect(learningRate(schedule, 3, 99, 52)).toBeCloseTo(0.3, 12);
  });

  test("steps down", () => {
    expect(rates({ kind: "step", every: 2, factor: 0.5, warmup: 1 }, 7)).toEqual([
      1, 1, 1, 0.5, 0.5, 0.25, 0.25,
    ]);
    expect(learningRate({ kind: "step", every: 5 }, 1, 5, 9)).toBe(0.1);
  });

  test("a warm-up as long as the training, or longer, never ends", () => {
    expect(rates({ kind: "cosine", warmup: 4 }, 2)).toEqual([0.25, 0.5]);
    expect(learningRate({ kind: "cosine", warmup: 2 }, 1, 2, 2)).toBe(1);
  });
});

test.each<[unknown, RegExp]>([
  [{ kind: "linear" }, /schedule\.kind: .*got "linear"/],
  [{}, /schedule\.kind: .*got none/],
  [{ kind: "constant", warmup: 1.5 }, /schedule\.warmup: .*whole number of steps, got 1.5/],
  [{ kind: "constant", warmup: -1 }, /schedule\.warmup/],
  [{ kind: "cosine", floor: 2 }, /schedule\.floor: .*0 to 1, got 2/],
  [{ kind: "step" }, /schedule\.every: .*got undefined/],
  [{ kind: "step", every: 0 }, /schedule\.every/],
  [{ kind: "step", every: 1, factor: 0 }, /schedule\.factor/],
])("%j is refused", (schedule, message) => {
  expect(() => checkSchedule(schedule as Schedule)).toThrow(message);
});

test.each<Schedule>([
  { kind: "constant" },
  { kind: "cosine", warmup: 10, floor: 1 },
  { kind: "step", every: 1, factor: 1 },
])("%j is accepted", (schedule) => {
  expect(() => checkSchedule(schedule)).not.toThrow();
});
