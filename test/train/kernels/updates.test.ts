// Updates bit for bit against the same arithmetic in f32, and twenty steps of each against PyTorch's.

import { beforeEach, describe, expect, test } from "vitest";
import { readNpz } from "../../../src/formats/npz";
import { createOptimizer, type OptimizerOptions, scalarsOf } from "../../../src/train/step/optimizers";
import { realFile } from "../../formats/fixtures";
import { inPieces, SIZES, same } from "../../kernels/float";
import { alloc, brokenGuard, fillFloats, loadTrain, place, random, reset } from "../../kernels/harness";

const kernels = loadTrain();
beforeEach(reset);
const f = Math.fround;

type Update = (
  w: readonly [number, ...number[]],
  g: number,
  scalars: readonly number[],
  begin: number,
  end: number,
) => void;

const update = {
  sgd: ([w, momentum = 0], g, [lr, factor, decay, nesterov], begin, end) =>
    kernels.sgd(w, momentum, g, lr!, factor!, decay!, nesterov!, begin, end),
  adamw: ([w, m, v], g, [lr, beta1, beta2, eps, decay, c1, c2], begin, end) =>
    kernels.adamw(w, m!, v!, g, lr!, beta1!, beta2!, eps!, decay!, c1!, c2!, begin, end),
} satisfies Record<string, Update>;

/** Parameters and states before, and what one step makes of them, element by element. */
type Oracle = (scalars: readonly number[], g: number, w: number, ...states: number[]) => number[];

const sgd: Oracle = ([lr, factor, decay, nesterov], g, w, b) => {
  const slope = f(g + f(f(decay!) * w));
  if (b === undefined) return [f(w - f(f(lr!) * slope))];
  const next = f(f(f(factor!) * b) + slope);
  const d = nesterov ? f(slope + f(f(factor!) * next)) : next;
  return [f(w - f(f(lr!) * d)), next];
};

const adamw: Oracle = ([lr, beta1, beta2, eps, decay, c1, c2], g, w, m, v) => {
  const mean = f(m! + f(f(1 - beta1!) * f(g - m!)));
  const power = f(f(f(beta2!) * v!) + f(f(1 - beta2!) * f(g * g)));
  const size = f(f(f(Math.sqrt(power)) / f(Math.sqrt(c2!))) + f(eps!));
  const step = f(f(lr! / c1!) * f(mean / size));
  return [f(f(f(1 - lr! * decay!) * w) - step), mean, power];
};

describe.each<[string, OptimizerOptions, Oracle]>([
  ["SGD", { kind: "sgd", lr: 0.1, weightDecay: 0.01 }, sgd],
  ["SGD with momentum", { kind: "sgd", lr: 0.1, momentum: 0.9, weightDecay: 0.01 }, sgd],
  ["Nesterov", { kind: "sgd", lr: 0.1, momentum: 0.9, nesterov: true }, sgd],
  ["AdamW", { kind: "adamw", lr: 0.003, betas: [0.9, 0.95] }, adamw],
])("%s", (_, options, oracle) => {
  const optimizer = createOptimizer(options);
  const states = optimizer.kind === "adamw" ? 2 : optimizer.momentum ? 1 : 0;

  test.each(SIZES)("%i parameters, bit for bit", (n) => {
    const next = random(n + 1);
    const g = fillFloats(alloc(Float32Array, n), next, -2, 2);
    const tensors = Array.from({ length: states + 1 }, (_, i) =>
      fillFloats(alloc(Float32Array, n), next, i === 2 ? 0 : -1, 1),
    );
    const before = tensors.map((tensor) => tensor.slice());
    const scalars = scalarsOf(optimizer, optimizer.lr, 3);
    const expected = Array.from(g, (v, i) =>
      oracle(scalars, v, before[0]![i]!, ...before.slice(1).map((state) => state[i]!)),
    );
    const at = tensors.map((tensor) => tensor.byteOffset) as [number, ...number[]];
    const cut = Math.floor(next() * (n + 1));
    for (const ranges of [
      [[0, n]],
      [
        [cut, n],
        [0, cut],
      ],
    ]) {
      tensors.forEach((tensor, i) => {
        tensor.set(before[i]!);
      });
      for (const [begin, end] of ranges) update[optimizer.kind](at, g.byteOffset, scalars, begin!, end!);
      tensors.forEach((tensor, i) => {
        same(
          tensor,
          expected.map((values) => values[i]!),
        );
      });
    }
    expect(brokenGuard()).toBeUndefined();
  });
});

const golden = (name: string) => {
  const file = realFile(`golden/${name}.npz`);
  return file && readNpz(file);
};

test.skipIf(!golden("sgd")).for<[string, OptimizerOptions]>([
  ["sgd", { kind: "sgd", lr: 1e-2, momentum: 0.9, weightDecay: 1e-3 }],
  ["sgd_nesterov", { kind: "sgd", lr: 1e-2, momentum: 0.9, nesterov: true }],
  ["adamw", { kind: "adamw", lr: 3e-3, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0.1 }],
])("twenty steps are PyTorch's within 1e-6: %s", ([name, options]) => {
  const optimizer = createOptimizer(options);
  const arrays = golden(name)!;
  const [w0, grads, trace] = ["w0", "grads", "trace"].map((key) => Float32Array.from(arrays.get(key)!.data));
  const n = w0!.length;
  const w = place(Float32Array, w0!);
  const states = [0, 1].map(() => place(Float32Array, new Float32Array(n)));
  const at = [w, ...states].map((tensor) => tensor.byteOffset) as [number, ...number[]];
  for (let step = 1; step <= 20; step++) {
    const row = [(step - 1) * n, step * n] as const;
    const g = place(Float32Array, grads!.subarray(...row));
    update[optimizer.kind](at, g.byteOffset, scalarsOf(optimizer, optimizer.lr, step), 0, n);
    const expected = trace!.subarray(...row);
    const size = Math.max(...expected.map(Math.abs));
    for (const [i, v] of w.entries()) expect(Math.abs(v - expected[i]!) / size).toBeLessThan(1e-6);
  }
});

describe("clipping by the norm", () => {
  test.each(SIZES)("%i columns: sums of squares in lanes of f64", (cols) => {
    const next = random(cols);
    const rows = 3;
    const x = fillFloats(alloc(Float32Array, rows * cols), next, -100, 100);
    const y = alloc(Float32Array, rows);
    inPieces(y, rows, next, (begin, end) => kernels.sumSquares(y.byteOffset, x.byteOffset, cols, begin, end));
    const expected = Array.from(y, (_, r) => {
      const lane = [0, 0, 0, 0];
      x.subarray(r * cols, (r + 1) * cols).forEach((v, i) => {
        lane[i % 4]! += v * v;
      });
      return f(lane[0]! + lane[2]! + (lane[1]! + lane[3]!));
    });
    same(y, expected);
  });

  test("the factor is 1 below the bound, and brings the norm to it above", () => {
    const factor = place(Float32Array, [9]);
    const squares = place(Float32Array, [9, 16]);
    const run = (most: number, count = 2, end = 1) => {
      kernels.clipFactor(factor.byteOffset, squares.byteOffset, count, most, 0, end);
      return factor[0];
    };
    expect(run(1, 2, 0)).toBe(9);
    expect(run(6)).toBe(1);
    expect(run(1)).toBe(f(1 / 5.000001));
    expect(run(2.5)).toBe(f(2.5 / 5.000001));
    expect(run(1, 0)).toBe(1);
    expect(brokenGuard()).toBeUndefined();
  });
});

test.each(SIZES)("%i numbers are kept within bounds, and NaN becomes the lower one", (n) => {
  const next = random(n);
  const [lo, hi] = [f(0.01), f(0.9)];
  const w = fillFloats(alloc(Float32Array, n), next, -1, 2);
  for (let i = 0; i < n; i += 3) w[i] = [Number.NaN, Number.POSITIVE_INFINITY, lo, 0][(i / 3) % 4]!;
  const expected = Array.from(w, (v) => (v > lo ? Math.min(v, hi) : lo));
  const cut = Math.floor(next() * (n + 1));
  kernels.keepWithin(w.byteOffset, lo, hi, cut, n);
  kernels.keepWithin(w.byteOffset, lo, hi, 0, cut);
  same(w, expected);
  expect(brokenGuard()).toBeUndefined();
});
