import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BESIDE_COLUMNS, offsetInt8Bytes, packedInt8Bytes } from "../../assembly/int8/sizes";
import { linearInt8ScratchBytes, packedRowsInt8Bytes } from "../../assembly/linear/sizes";
import { alloc, brokenGuard, classes, expectSame, fillFloats, fillInts, reset } from "./harness";
import { inTwoParts, linearRows } from "./linear-rows";
import { dequantize, dot } from "./oracle-int8";

/** rows, n, k */
const SHAPES = [
  ...[0, 1, 3, 4, 17].flatMap((rows) =>
    [0, 1, 3, 4, 17].flatMap((n) => [0, 1, 3, 4, 17].map((k) => [rows, n, k])),
  ),
  [1, 100, 90],
  [2, 257, 33],
  [5, 33, 7],
  [7, 40, 64],
  [64, 48, 300],
  [100, 24, 129],
  [3, 40, 4099],
  [130, 9, 65],
  [1, 33, 32896],
] as [number, number, number][];

describe.each(classes)("$name", ({ kernels: k8 }) => {
  beforeEach(reset);
  afterEach(() => expect(brokenGuard()).toBeUndefined());

  test.each(["random", "lowest", "highest"] as const)("linearInt8, exact: %s", (fill) => {
    SHAPES.forEach(([rows, n, k], seed) => {
      reset();
      const own = linearRows([rows, n, k], seed, fill !== "random");
      const { next, ldx, ldy, x, stride, xScale, xZero, bias, lo, hi, y, want, to } = own;
      const w = fillInts(alloc(Int8Array, n * k), next, -128, 127);
      if (fill !== "random") w.fill(fill === "lowest" ? -128 : 127);
      const scale = fillFloats(alloc(Float32Array, n), next, 1e-4, 1e-2);
      const panels = alloc(Uint8Array, packedInt8Bytes(n, k, 1, BESIDE_COLUMNS));
      const colsum = alloc(Int32Array, offsetInt8Bytes(n) / 4);
      k8.packWeightsInt8(
        ...([panels, colsum, w].map(({ byteOffset }) => byteOffset) as [number, number, number]),
        ...([0, 1, n, 1, 1, k, k, 0, 0, 1, BESIDE_COLUMNS / 8] as const),
      );
      k8.packRowWeightsInt8(panels.byteOffset, n, k);
      for (let c = 0; c < n; c++) {
        const at = (i: number) => w[c * k + i]!;
        const sum = dot(k, () => 1, at);
        for (let r = 0; r < rows; r++) {
          const product = dot(k, (i) => x[r * ldx + i]!, at);
          const range = [xScale[r * stride]!, xZero[r * stride]!] as const;
          want[r * ldy + c] = dequantize(product, sum, scale[c]!, bias?.[c] ?? 0, ...range, lo, hi);
        }
      }
      const scratch = alloc(Uint8Array, linearInt8ScratchBytes(k));
      const packed = alloc(Uint8Array, packedRowsInt8Bytes(rows, k));
      inTwoParts(next, rows, (begin, end) =>
        k8.packRowsInt8(packed.byteOffset, x.byteOffset, ldx, rows, k, begin, end),
      );
      const cut = inTwoParts(next, Math.ceil(n / BESIDE_COLUMNS), (begin, end) =>
        k8.linearInt8(
          y.byteOffset,
          ldy,
          packed.byteOffset,
          panels.byteOffset,
          colsum.byteOffset,
          scale.byteOffset,
          bias?.byteOffset ?? 0,
          xScale.byteOffset,
          xZero.byteOffset,
          scratch.byteOffset,
          rows,
          n,
          k,
          to,
          begin,
          end,
        ),
      );
      expectSame(y, want, `${[rows, n, k]} split at ${cut}`);
      expect(brokenGuard()).toBeUndefined();
    });
  });
});
