import { beforeEach, expect, test } from "vitest";
import { inPieces, laneSum, SIZES, same } from "../float";
import { alloc, fillFloats, loadCommon, place, random, reset } from "../harness";

const { rmsNormalization } = loadCommon();
beforeEach(reset);

const f = Math.fround;

/** In f32, in the order the kernel states. */
function expected(x: Float32Array, scale: Float32Array, epsilon: number): number[] {
  const cols = scale.length;
  return Array.from({ length: cols ? x.length / cols : 0 }, (_, r) => {
    const row = x.subarray(r * cols, (r + 1) * cols);
    const mean = f(laneSum(row.map((v) => f(v * v))) / cols);
    const s = f(1 / f(Math.sqrt(f(mean + f(epsilon)))));
    return Array.from(row, (v, c) => f(f(v * s) * scale[c]!));
  }).flat();
}

test.each(SIZES)("rows of %i: f32 arithmetic in the stated order, to the bit", (cols) => {
  const rows = 5;
  const next = random(cols);
  const x = fillFloats(alloc(Float32Array, rows * cols), next, -3, 5);
  const scale = fillFloats(alloc(Float32Array, cols), next, 0.5, 2);
  const y = alloc(Float32Array, rows * cols);
  const at = [x.byteOffset, scale.byteOffset, cols, 1e-6] as const;
  inPieces(y, rows, next, (b, e) => rmsNormalization(y.byteOffset, ...at, b, e));
  const want = expected(x, scale, 1e-6);
  same(y, want);
  rmsNormalization(x.byteOffset, ...at, 0, rows);
  same(x, want);
});

test("a row of zeros stays zeros, and a square that overflows makes zeros too", () => {
  const x = place(Float32Array, [0, 0, 0, 1e30, -1e30, 1e30]);
  const scale = place(Float32Array, [1, 2, 3]);
  const y = alloc(Float32Array, 6);
  rmsNormalization(y.byteOffset, x.byteOffset, scale.byteOffset, 3, 1e-5, 0, 2);
  expect(y).toEqual(Float32Array.of(0, 0, 0, 0, -0, 0));
});
