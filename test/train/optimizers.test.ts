import { describe, expect, test } from "vitest";
import { createOptimizer, type OptimizerOptions, scalarsOf, statesOf } from "../../src/train/step/optimizers";

describe("options", () => {
  test("defaults are PyTorch's", () => {
    expect(createOptimizer({ kind: "sgd", lr: 0.1 })).toEqual({
      kind: "sgd",
      lr: 0.1,
      momentum: 0,
      nesterov: false,
      weightDecay: 0,
    });
    expect(createOptimizer({ kind: "adamw", lr: 0.001 })).toEqual({
      kind: "adamw",
      lr: 0.001,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0.01,
    });
  });

  test.each<[unknown, RegExp]>([
    [{ kind: "adam", lr: 1 }, /optimizer\.kind: .*expected "sgd" or "adamw", got "adam"/],
    [undefined, /optimizer\.kind: .*got none/],
    [{ kind: "sgd", lr: -1 }, /optimizer\.lr: .*at least 0, got -1/],
    [{ kind: "sgd" }, /optimizer\.lr: .*got undefined/],
    [{ kind: "sgd", lr: "0.1" }, /optimizer\.lr/],
    [{ kind: "sgd", lr: Number.POSITIVE_INFINITY }, /optimizer\.lr: .*got Infinity/],
    [{ kind: "sgd", lr: 1, momentum: 1 }, /optimizer\.momentum: .*below 1, got 1/],
    [{ kind: "sgd", lr: 1, weightDecay: -0.1 }, /optimizer\.weightDecay/],
    [{ kind: "sgd", lr: 1, nesterov: true }, /optimizer\.nesterov: .*Set momentum/],
    [{ kind: "adamw", lr: Number.NaN }, /optimizer\.lr: .*got NaN/],
    [{ kind: "adamw", lr: 1, betas: [0.9, 1] }, /optimizer\.betas\[1\]: .*got 1/],
    [{ kind: "adamw", lr: 1, betas: [0.9] }, /optimizer\.betas\[1\]: .*got undefined/],
    [{ kind: "adamw", lr: 1, eps: 0 }, /optimizer\.eps/],
  ])("%j is refused", (options, message) => {
    expect(() => createOptimizer(options as OptimizerOptions)).toThrow(message);
  });
});

test("states: none without momentum, one with, two for AdamW", () => {
  expect(statesOf(createOptimizer({ kind: "sgd", lr: 1 }))).toEqual([]);
  expect(statesOf(createOptimizer({ kind: "sgd", lr: 1, momentum: 0.9 }))).toEqual(["momentum"]);
  expect(statesOf(createOptimizer({ kind: "adamw", lr: 1 }))).toEqual(["mean", "square"]);
});

describe("scalars", () => {
  test("SGD's are the same in every step", () => {
    const sgd = createOptimizer({ kind: "sgd", lr: 1, momentum: 0.9, nesterov: true, weightDecay: 0.1 });
    expect(scalarsOf(sgd, 0.5, 1)).toEqual([0.5, 0.9, 0.1, 1]);
    expect(scalarsOf(sgd, 0.25, 9)).toEqual([0.25, 0.9, 0.1, 1]);
  });

  test("AdamW's corrections are 1 − βᵗ within 1e-12, t from 1 on", () => {
    const adamw = createOptimizer({ kind: "adamw", lr: 1, betas: [0.9, 0.999] });
    expect(scalarsOf(adamw, 0.5, 1)).toEqual([0.5, 0.9, 0.999, 1e-8, 0.01, 1 - 0.9, 1 - 0.999]);
    let [p1, p2] = [1, 1];
    for (let step = 1; step <= 3000; step++) {
      [p1, p2] = [p1 * 0.9, p2 * 0.999];
      const [, , , , , c1, c2] = scalarsOf(adamw, 1, step);
      expect(Math.abs(c1! - (1 - p1))).toBeLessThan(1e-12);
      expect(Math.abs(c2! - (1 - p2))).toBeLessThan(1e-12);
    }
  });
});
