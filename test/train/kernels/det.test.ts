import { beforeEach, test } from "vitest";
import { inPieces } from "../../kernels/float";
import { alloc, fillFloats, loadTrain, random, reset } from "../../kernels/harness";
import { expectClose } from "./gradients";

const { detGradient } = loadTrain();
beforeEach(reset);

type Matrix = readonly (readonly number[])[];

const without = (a: Matrix, i: number, j: number): Matrix =>
  a.filter((_, r) => r !== i).map((row) => row.filter((_, c) => c !== j));

/** By the first row's minors. */
const determinant = (a: Matrix): number =>
  a.length === 0
    ? 1
    : a[0]!.reduce((sum, v, j) => sum + (j % 2 === 0 ? v : -v) * determinant(without(a, 0, j)), 0);

const MATRICES = 3;

test.each([
  [1, "random"],
  [2, "random"],
  [3, "random"],
  [4, "random"],
  [6, "random"],
  [3, "of rank n − 1"],
  [4, "of rank n − 1"],
] as const)("n = %i, %s: cofactors", (n, kind) => {
  const next = random(n);
  const x = fillFloats(alloc(Float32Array, MATRICES * n * n), next, -2, 2);
  // The last row is a multiple of the first.
  const copied = kind === "random" ? 0 : 1;
  for (let m = 0; m < MATRICES; m++)
    for (let r = n - copied; r < n; r++)
      for (let c = 0; c < n; c++) x[(m * n + r) * n + c] = (r + 1) * x[m * n * n + c]!;
  const dy = fillFloats(alloc(Float32Array, MATRICES), next, -2, 2);
  const scratch = alloc(Float32Array, n * n);
  const dx = alloc(Float32Array, x.length);
  const want = Float64Array.from(dx, (_, at) => {
    const [m, i, j] = [Math.floor(at / n / n), Math.floor(at / n) % n, at % n];
    const rows = Array.from({ length: n }, (_, r) => [...x.subarray((m * n + r) * n, (m * n + r + 1) * n)]);
    return dy[m]! * ((i + j) % 2 === 0 ? 1 : -1) * determinant(without(rows, i, j));
  });
  inPieces(dx, MATRICES, next, (begin, end) =>
    detGradient(dx.byteOffset, dy.byteOffset, x.byteOffset, scratch.byteOffset, n, begin, end),
  );
  expectClose(dx, want);
});
