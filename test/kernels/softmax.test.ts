import { beforeEach, describe, expect, test } from "vitest";
import { inPieces, laneSum, SIZES, same, ulps } from "./float";
import { alloc, fillFloats, loadCommon, place, random, reset } from "./harness";

const kernels = loadCommon();
beforeEach(reset);

const f = Math.fround;
const inf = Number.POSITIVE_INFINITY;
const COLS = SIZES.filter((n) => n > 0).concat(1000);

describe("softmax and logSoftmax", () => {
  test.each(COLS)("rows of %i", (cols) => {
    const next = random(cols);
    const rows = 5;
    const x = fillFloats(alloc(Float32Array, rows * cols), next, -10, 10);
    const y = alloc(Float32Array, rows * cols);
    inPieces(y, rows, next, (b, e) => kernels.softmax(y.byteOffset, x.byteOffset, cols, b, e));
    const z = alloc(Float32Array, rows * cols);
    inPieces(z, rows, next, (b, e) => kernels.logSoftmax(z.byteOffset, x.byteOffset, cols, b, e));
    for (let r = 0; r < rows; r++) {
      const row = Array.from(x.subarray(r * cols, (r + 1) * cols));
      const max = Math.max(...row);
      const sum = row.reduce((s, v) => s + Math.exp(v - max), 0);
      // Half an ulp of v − max near 20 moves e^(v − max) by 8 to 16 ulp; exp, sum and quotient add the rest.
      row.forEach((v, c) => {
        expect(ulps(y[r * cols + c]!, Math.exp(v - max) / sum)).toBeLessThan(24);
        expect(Math.abs(z[r * cols + c]! - (v - max - Math.log(sum)))).toBeLessThan(3e-6);
      });
      // The order of the sum: exponentials, divided by their lane sum, are the results to the bit.
      const e = alloc(Float32Array, cols);
      e.set(row.map((v) => f(v - max)));
      kernels.exp(e.byteOffset, e.byteOffset, 0, cols);
      const total = laneSum(e);
      same(
        y.subarray(r * cols, (r + 1) * cols),
        Array.from(e, (v) => f(v / total)),
      );
    }
    kernels.softmax(x.byteOffset, x.byteOffset, cols, 0, rows);
    same(x, y);
  });

  test("n equal values give −ln n within 1 ulp", () => {
    const x = alloc(Float32Array, 5000);
    for (let n = 1; n <= 5000; n += 7) {
      x.fill(0);
      kernels.logSoftmax(x.byteOffset, x.byteOffset, n, 0, 1);
      expect(ulps(x[0]!, -Math.log(n)), `n = ${n}`).toBeLessThanOrEqual(1);
    }
  });

  test("NaN and ∞ leave no number in their row, and others alone", () => {
    const rows = [
      [Number.NaN, 1, 2, 3, 4],
      [1, 2, 3, 4, Number.NaN],
      [1, inf, 2, -inf, 0],
      [-inf, -inf, -inf, -inf, -inf],
      [0, 0, 0, 0, 0],
    ];
    for (const kernel of ["softmax", "logSoftmax"] as const) {
      const x = place(Float32Array, rows.flat());
      kernels[kernel](x.byteOffset, x.byteOffset, 5, 0, rows.length);
      same(x.subarray(0, 20), new Array(20).fill(Number.NaN));
      for (const v of x.subarray(20)) expect(v).toBeCloseTo(kernel === "softmax" ? 0.2 : -Math.log(5), 6);
    }
  });

  test("−∞ has no share, equal values equal ones", () => {
    const x = place(Float32Array, [-inf, 5, 5, -inf, 5, 5]);
    kernels.softmax(x.byteOffset, x.byteOffset, 6, 0, 1);
    same(x, [0, 0.25, 0.25, 0, 0.25, 0.25]);
  });
});
