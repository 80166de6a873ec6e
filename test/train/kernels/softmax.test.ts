import { beforeEach, describe, expect, test } from "vitest";
import { inPieces, laneSum, SIZES, same } from "../../kernels/float";
import { alloc, fillFloats, loadTrain, random, reset } from "../../kernels/harness";

const kernels = loadTrain();
beforeEach(reset);

const f = Math.fround;

describe.each(SIZES)("rows of %i", (cols) => {
  const rows = 5;
  const operands = () => {
    const next = random(cols);
    const dy = fillFloats(alloc(Float32Array, rows * cols), next, -2, 2);
    const y = fillFloats(alloc(Float32Array, rows * cols), next, -1, 1);
    return { next, dy, y, dx: alloc(Float32Array, rows * cols) };
  };
  const row = (x: Float32Array, i: number) => {
    const start = Math.floor(i / cols) * cols;
    return x.subarray(start, start + cols);
  };

  test("softmaxGradient: to the bit in the stated order", () => {
    const { next, dy, y, dx } = operands();
    inPieces(dx, rows, next, (b, e) =>
      kernels.softmaxGradient(dx.byteOffset, dy.byteOffset, y.byteOffset, cols, b, e),
    );
    const total = (i: number) => {
      const d = row(dy, i);
      return laneSum(row(y, i).map((v, c) => f(v * d[c]!)));
    };
    same(
      dx,
      Array.from(dy, (d, i) => f(y[i]! * f(d - total(i)))),
    );
    kernels.softmaxGradient(dy.byteOffset, dy.byteOffset, y.byteOffset, cols, 0, rows);
    same(dy, dx);
  });

  test("logSoftmaxGradient: within 1e-5, in place to the bit", () => {
    const { next, dy, y, dx } = operands();
    inPieces(dx, rows, next, (b, e) =>
      kernels.logSoftmaxGradient(dx.byteOffset, dy.byteOffset, y.byteOffset, cols, b, e),
    );
    dx.forEach((got, i) => {
      const want = dy[i]! - Math.exp(y[i]!) * laneSum(row(dy, i));
      expect(Math.abs(got - want)).toBeLessThan(1e-5 * (1 + Math.abs(want)));
    });
    kernels.logSoftmaxGradient(dy.byteOffset, dy.byteOffset, y.byteOffset, cols, 0, rows);
    same(dy, dx);
  });
});
