import { beforeEach, describe, test } from "vitest";
import { matMulScratchBytes } from "../../assembly/f32/sizes";
import { inPieces, same } from "./float";
import { alloc, fillFloats, loadCommon, random, reset } from "./harness";

const kernels = loadCommon();
beforeEach(reset);

const f = Math.fround;

// stack, m, n, k, whether a and b are repeated
const SHAPES = [
  [1, 1, 1, 1, 0, 0],
  [1, 17, 9, 5, 0, 0],
  [5, 3, 4, 17, 0, 0],
  [3, 4, 17, 3, 0, 1],
  [3, 1, 8, 33, 1, 0],
  [4, 7, 3, 4, 1, 1],
  [2, 3, 4, 0, 0, 0],
  [2, 0, 4, 3, 0, 0],
  [2, 3, 0, 3, 0, 0],
  [0, 3, 4, 3, 0, 0],
] as const;

describe("matMul", () => {
  test.each(SHAPES)("%i of %i × %i × %i: sums in order, to the bit", (stack, m, n, k, sameA, sameB) => {
    const next = random(m * n + k);
    const a = fillFloats(alloc(Float32Array, stack * m * k), next, -2, 2);
    const b = fillFloats(alloc(Float32Array, stack * k * n), next, -2, 2);
    const [stepA, stepB] = [sameA ? 0 : m * k, sameB ? 0 : k * n];
    const scratch = alloc(Uint8Array, matMulScratchBytes(m, n, k));
    const y = alloc(Float32Array, stack * m * n);
    const places = [y.byteOffset, a.byteOffset, b.byteOffset, scratch.byteOffset] as const;
    const [lo, hi] = [-3, 4];
    inPieces(y, stack * m, next, (begin, end) =>
      kernels.matMul(...places, m, n, k, stepA, stepB, lo, hi, begin, end),
    );
    const expected = Array.from(y, (_, at) => {
      const [i, r, c] = [Math.floor(at / (m * n)), Math.floor(at / n) % m, at % n];
      let sum = 0;
      for (let j = 0; j < k; j++) sum = f(sum + f(a[i * stepA + r * k + j]! * b[i * stepB + j * n + c]!));
      return Math.min(Math.max(sum, lo), hi);
    });
    same(y, expected);
  });
});
