// Each loss against f64: its value, its gradient, and the sum of both where two losses share a gradient.

import { beforeEach, describe, expect, test } from "vitest";
import { inPieces, same } from "../../kernels/float";
import { alloc, brokenGuard, fillFloats, int, loadTrain, place, random, reset } from "../../kernels/harness";

const kernels = loadTrain();
beforeEach(reset);

const SHAPES = [
  [0, 4],
  [1, 1],
  [3, 3],
  [4, 4],
  [5, 10],
  [7, 17],
  [2, 1000],
] as const;

type Numbers = ArrayLike<number>;

const softmax = (x: Numbers, temperature = 1): number[] => {
  const z = Array.from(x, (v) => v / temperature);
  const most = Math.max(...z);
  const e = z.map((v) => Math.exp(v - most));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
};

const logSoftmax = (x: Numbers, temperature = 1): number[] => {
  const z = Array.from(x, (v) => v / temperature);
  const most = Math.max(...z);
  const sum = z.reduce((a, v) => a + Math.exp(v - most), 0);
  return z.map((v) => v - most - Math.log(sum));
};

const rowsOf = (x: Float32Array, cols: number): Float32Array[] =>
  Array.from({ length: cols ? x.length / cols : 0 }, (_, r) => x.subarray(r * cols, (r + 1) * cols));

function close(got: Numbers, expected: Numbers, most = 2e-6): void {
  const size = Math.max(1e-30, ...Array.from(expected, Math.abs));
  expect(got.length).toBe(expected.length);
  Array.from(expected, (v, i) => expect(Math.abs(got[i]! - v) / size, `element ${i}`).toBeLessThan(most));
}

interface Expected {
  readonly loss: readonly number[];
  readonly dx: readonly number[];
}

type Run = (loss: number, dx: number, isAdded: number, begin: number, end: number) => void;

/** Values within 2e-6 of the largest; written, added to another gradient, and in place of the logits. */
function check(x: Float32Array, rows: number, expected: Expected, run: Run): void {
  const next = random(x.length + 3);
  const loss = alloc(Float32Array, rows);
  const dx = alloc(Float32Array, x.length);
  const at = loss.byteOffset;
  inPieces(loss, rows, next, (b, e) => run(at, dx.byteOffset, 0, b, e));
  inPieces(dx, rows, next, (b, e) => run(at, dx.byteOffset, 0, b, e));
  close(loss, expected.loss);
  close(dx, expected.dx);
  const other = fillFloats(alloc(Float32Array, x.length), next, -1, 1);
  const sum = Array.from(other, (v, i) => Math.fround(v + dx[i]!));
  run(at, other.byteOffset, 1, 0, rows);
  same(other, sum);
  run(at, x.byteOffset, 0, 0, rows);
  same(x, dx);
  expect(brokenGuard()).toBeUndefined();
}

describe("crossEntropy", () => {
  describe.each([0, Math.fround(0.1)])("smoothing %d", (smoothing) => {
    test.each(SHAPES)("%i rows of %i", (rows, cols) => {
      const next = random(rows + cols);
      const x = fillFloats(alloc(Float32Array, rows * cols), next, -6, 6);
      const labels = place(
        Int32Array,
        Array.from({ length: rows }, () => int(next, 0, cols - 1)),
      );
      const weight = 0.75;
      const loss: number[] = [];
      const dx: number[] = [];
      rowsOf(x, cols).forEach((row, r) => {
        const target = Array.from(row, (_, c) => smoothing / cols + (c === labels[r] ? 1 - smoothing : 0));
        const logs = logSoftmax(row);
        loss.push((-weight / rows) * target.reduce((a, p, c) => a + p * logs[c]!, 0));
        softmax(row).forEach((p, c) => {
          dx.push((weight / rows) * (p - target[c]!));
        });
      });
      check(x, rows, { loss, dx }, (to, grad, isAdded, begin, end) =>
        kernels.crossEntropy(
          to,
          grad,
          x.byteOffset,
          labels.byteOffset,
          cols,
          rows,
          smoothing,
          weight,
          isAdded,
          begin,
          end,
        ),
      );
    });
  });

  test("a label that is no column takes its row out", () => {
    const x = place(Float32Array, [1, 2, 3, 1, 2, 3, 1, 2, 3]);
    const labels = place(Int32Array, [-1, 2, 3]);
    const [loss, dx] = [alloc(Float32Array, 3), alloc(Float32Array, 9)];
    kernels.crossEntropy(
      loss.byteOffset,
      dx.byteOffset,
      x.byteOffset,
      labels.byteOffset,
      3,
      1,
      0,
      1,
      0,
      0,
      3,
    );
    close(loss, [0, -logSoftmax([1, 2, 3])[2]!, 0]);
    const [a, b, c] = softmax([1, 2, 3]) as [number, number, number];
    close(dx, [0, 0, 0, a, b, c - 1, 0, 0, 0]);
  });

  test("NaN among the logits of a row is its loss", () => {
    const x = place(Float32Array, [1, Number.NaN, 3, 1, 2, 3]);
    const labels = place(Int32Array, [0, 2]);
    const [loss, dx] = [alloc(Float32Array, 2), alloc(Float32Array, 6)];
    const addresses = [loss, dx, x, labels].map((view) => view.byteOffset) as [
      number,
      number,
      number,
      number,
    ];
    kernels.crossEntropy(...addresses, 3, 1, 0, 1, 0, 0, 2);
    expect(loss[0]).toBeNaN();
    close(loss.subarray(1), [-logSoftmax([1, 2, 3])[2]!]);
  });

  test("logits of any size: no overflow, a far label costs its distance", () => {
    const x = place(Float32Array, [1e30, -1e30, 0, 2000, 1000, -Infinity]);
    const labels = place(Int32Array, [0, 1]);
    const [loss, dx] = [alloc(Float32Array, 2), alloc(Float32Array, 6)];
    kernels.crossEntropy(
      loss.byteOffset,
      dx.byteOffset,
      x.byteOffset,
      labels.byteOffset,
      3,
      1,
      0,
      1,
      0,
      0,
      2,
    );
    same(loss, [0, 1000]);
    same(dx, [0, 0, 0, 1, -1, 0]);
  });
});

describe("divergence", () => {
  describe.each([1, 4, 0.5])("temperature %d", (temperature) => {
    test.each(SHAPES)("%i rows of %i", (rows, cols) => {
      const next = random(rows + cols + 1);
      const x = fillFloats(alloc(Float32Array, rows * cols), next, -6, 6);
      const t = fillFloats(alloc(Float32Array, rows * cols), next, -6, 6);
      const weight = 0.3;
      const loss: number[] = [];
      const dx: number[] = [];
      rowsOf(x, cols).forEach((row, r) => {
        const teacher = rowsOf(t, cols)[r]!;
        const [p, q] = [softmax(teacher, temperature), softmax(row, temperature)];
        const [lp, lq] = [logSoftmax(teacher, temperature), logSoftmax(row, temperature)];
        const kl = p.reduce((a, v, c) => a + v * (lp[c]! - lq[c]!), 0);
        loss.push(((weight * temperature ** 2) / rows) * kl);
        for (const [c, v] of q.entries()) dx.push(((weight * temperature) / rows) * (v - p[c]!));
      });
      check(x, rows, { loss, dx }, (to, grad, isAdded, begin, end) =>
        kernels.divergence(
          to,
          grad,
          x.byteOffset,
          t.byteOffset,
          cols,
          rows,
          temperature,
          weight,
          isAdded,
          begin,
          end,
        ),
      );
    });
  });

  test("a teacher's −∞ has no part, equal logits have no loss", () => {
    const t = place(Float32Array, [1, -Infinity, 2, 5, -3, 0]);
    const x = place(Float32Array, [1, -50, 2, 5, -3, 0]);
    const [loss, dx] = [alloc(Float32Array, 2), alloc(Float32Array, 6)];
    kernels.divergence(loss.byteOffset, dx.byteOffset, x.byteOffset, t.byteOffset, 3, 2, 2, 1, 0, 0, 2);
    expect(Math.abs(loss[0]!)).toBeLessThan(1e-6);
    expect(loss[1]).toBe(0);
    same(dx.subarray(3), [0, 0, 0]);
  });
});

test.each(SHAPES)("meanSquare, %i rows of %i", (rows, cols) => {
  const next = random(rows + cols + 2);
  const x = fillFloats(alloc(Float32Array, rows * cols), next, -6, 6);
  const t = fillFloats(alloc(Float32Array, rows * cols), next, -6, 6);
  const weight = 1.5;
  const share = weight / (rows * cols);
  const d = Array.from(x, (v, i) => v - t[i]!);
  const loss = Array.from(
    { length: rows },
    (_, r) => share * d.slice(r * cols, (r + 1) * cols).reduce((a, v) => a + v * v, 0),
  );
  check(x, rows, { loss, dx: d.map((v) => 2 * share * v) }, (to, grad, isAdded, begin, end) =>
    kernels.meanSquare(to, grad, x.byteOffset, t.byteOffset, cols, rows, weight, isAdded, begin, end),
  );
});
