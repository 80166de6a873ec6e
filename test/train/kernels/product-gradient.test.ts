import { beforeEach, describe, expect, test } from "vitest";
import { productWeightGradientScratchBytes } from "../../../assembly/train/sizes";
import { alloc, fillFloats, fillInts, int, loadTrain, random, reset } from "../../kernels/harness";
import { expectClose, inRanges, numbersOf } from "./gradients";

const kernels = loadTrain();
beforeEach(reset);

const SCALE = Math.fround(0.037);
const ZERO = 113;

// rows, n, k
const SHAPES = [
  [0, 3, 5],
  [1, 1, 1],
  [3, 4, 17],
  [4, 17, 3],
  [17, 1, 9],
  [5, 10, 1],
  [64, 33, 31],
  [257, 9, 12],
  [700, 5, 8],
  [3, 7, 600],
  [2, 515, 4],
] as const;

describe("productWeightGradient", () => {
  test.each(SHAPES)("%i rows, %i × %i, both layouts: 1e-5 of float64", (rows, n, k) => {
    const next = random(rows * 31 + n * 7 + k);
    const lddy = n + int(next, 0, 3);
    const ldx = k + int(next, 0, 3);
    const dy = fillFloats(alloc(Float32Array, rows * lddy), next, -1, 1);
    const codes = fillInts(alloc(Uint8Array, rows * ldx), next, 0, 255);
    const x = alloc(Float32Array, rows * ldx);
    x.set(numbersOf(codes, SCALE, ZERO));
    const dw = alloc(Float32Array, n * k);
    const scratch = alloc(Uint8Array, productWeightGradientScratchBytes(rows, n, k));
    for (const [strideN, strideK] of [
      [k, 1],
      [1, n],
    ] as const) {
      const ownerOf = (i: number) => (strideK === 1 ? Math.floor(i / k) : i % n);
      const want = new Float64Array(n * k);
      for (let r = 0; r < rows; r++)
        for (let j = 0; j < n; j++)
          for (let i = 0; i < k; i++) want[j * strideN + i * strideK]! += dy[r * lddy + j]! * x[r * ldx + i]!;
      const head = [dw.byteOffset, dy.byteOffset, lddy] as const;
      const tail = [ldx, scratch.byteOffset, rows, n, k, strideN, strideK] as const;
      inRanges(dw, n, ownerOf, next, (begin, end) =>
        kernels.productWeightGradient(...head, x.byteOffset, ...tail, 0, 1, 0, begin, end),
      );
      expectClose(dw, want);
      const ofNumbers = dw.slice();
      inRanges(dw, n, ownerOf, next, (begin, end) =>
        kernels.productWeightGradient(...head, codes.byteOffset, ...tail, 1, SCALE, ZERO, begin, end),
      );
      expect(dw).toEqual(ofNumbers);
    }
  });
});
