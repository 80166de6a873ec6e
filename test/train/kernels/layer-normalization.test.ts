import { beforeEach, describe, test } from "vitest";
import { inPieces, laneSum, SIZES, same } from "../../kernels/float";
import { alloc, fillFloats, loadTrain, random, reset } from "../../kernels/harness";

const kernels = loadTrain();
beforeEach(reset);

const f = Math.fround;

describe.each(SIZES.filter((n) => n > 0))("rows of %i", (cols) => {
  test("gradients of x and scale: f32 arithmetic in the stated order, to the bit", () => {
    const rows = 6;
    const next = random(cols);
    const dy = fillFloats(alloc(Float32Array, rows * cols), next, -1, 1);
    const x = fillFloats(alloc(Float32Array, rows * cols), next, -3, 5);
    const scale = fillFloats(alloc(Float32Array, cols), next, 0.5, 2);
    const epsilon = f(1e-3);
    const dx = alloc(Float32Array, rows * cols);
    const [mean, inverse] = [alloc(Float32Array, rows), alloc(Float32Array, rows)];
    const moments = [mean.byteOffset, inverse.byteOffset] as const;
    const operands = [dy.byteOffset, x.byteOffset, scale.byteOffset] as const;
    inPieces(dx, rows, next, (b, e) =>
      kernels.layerNormalizationGradient(dx.byteOffset, ...moments, ...operands, cols, epsilon, b, e),
    );
    const normal = (i: number) => f(f(x[i]! - mean[Math.floor(i / cols)]!) * inverse[Math.floor(i / cols)]!);
    for (let r = 0; r < rows; r++) {
      const at = Array.from({ length: cols }, (_, c) => r * cols + c);
      const m = f(laneSum(x.subarray(r * cols, (r + 1) * cols)) / cols);
      const variance = f(laneSum(at.map((i) => f(f(x[i]! - m) * f(x[i]! - m)))) / cols);
      const s = f(1 / f(Math.sqrt(f(variance + epsilon))));
      same([mean[r]!, inverse[r]!], [m, s]);
      const g = at.map((i) => f(dy[i]! * scale[i % cols]!));
      const level = f(laneSum(g) / cols);
      const slope = f(laneSum(at.map((i, c) => f(g[c]! * normal(i)))) / cols);
      same(
        dx.subarray(r * cols, (r + 1) * cols),
        at.map((i, c) => f(s * f(f(g[c]! - level) - f(normal(i) * slope)))),
      );
    }

    const dscale = alloc(Float32Array, cols);
    const read = [dy.byteOffset, x.byteOffset, ...moments] as const;
    inPieces(dscale, cols, next, (b, e) =>
      kernels.layerNormalizationScaleGradient(dscale.byteOffset, ...read, rows, cols, b, e),
    );
    same(
      dscale,
      Array.from(dscale, (_, c) => {
        let sum = 0;
        for (let i = c; i < rows * cols; i += cols) sum = f(sum + f(dy[i]! * normal(i)));
        return sum;
      }),
    );
    kernels.layerNormalizationGradient(dy.byteOffset, ...moments, ...operands, cols, epsilon, 0, rows);
    same(dy, dx);
  });
});
