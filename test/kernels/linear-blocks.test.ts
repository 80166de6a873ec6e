import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { COLUMNS, linearBlocksScratchBytes, packedBlocksBytes } from "../../assembly/blocks/sizes";
import { alloc, brokenGuard, classes, expectSame, fillFloats, fillInts, reset } from "./harness";
import { inTwoParts, linearRows } from "./linear-rows";

const f = Math.fround;

/** rows, n, k, size of a block */
const SHAPES = [
  ...[0, 1, 3, 4, 17].flatMap((rows) =>
    [0, 1, 3, 4, 17].flatMap((n) => [0, 32, 96].map((k, i) => [rows, n, k, i === 1 ? 16 : 32])),
  ),
  [1, 50, 48, 16],
  [70, 24, 64, 32],
  [64, 33, 176, 16],
  [2, 16, 8288, 32],
] as [number, number, number, number][];

describe.each(classes)("$name", ({ kernels: k8 }) => {
  beforeEach(reset);
  afterEach(() => expect(brokenGuard()).toBeUndefined());

  test.each([
    ["random", false],
    ["random", true],
    ["lowest", true],
    ["highest", false],
  ] as const)("linearBlocks, block after block: %s, offsets: %s", (fill, hasOffsets) => {
    SHAPES.forEach(([rows, n, k, size], seed) => {
      reset();
      const own = linearRows([rows, n, k], seed, fill !== "random");
      const { next, ldx, ldy, x, stride, xScale, xZero, bias, lo, hi, y, want, to } = own;
      const blocks = (n * k) / size;
      const q = fillInts(alloc(Int8Array, n * k), next, -128, 127);
      if (fill !== "random") q.fill(fill === "lowest" ? -128 : 127);
      const d = fillFloats(alloc(Float32Array, blocks), next, -0.01, 0.01);
      const m = hasOffsets ? fillFloats(alloc(Float32Array, blocks), next, -1, 1) : undefined;
      const w = alloc(Uint8Array, packedBlocksBytes(n, k, size, hasOffsets ? 1 : 0));
      k8.packBlocks(w.byteOffset, q.byteOffset, d.byteOffset, m?.byteOffset ?? 0, n, k, size);
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < n; c++) {
          const by = xScale[r * stride]!;
          let v = 0;
          for (let from = 0; from < k; from += size) {
            let [sum, ones] = [0, 0];
            for (let i = from; i < from + size; i++) {
              const code = x[r * ldx + i]! - xZero[r * stride]!;
              sum += q[c * k + i]! * code;
              ones += code;
            }
            const g = (c * k + from) / size;
            v = f(v + f(f(sum) * f(by * d[g]!)));
            if (m) v = f(v - f(f(ones) * f(by * m[g]!)));
          }
          want[r * ldy + c] = Math.min(Math.max(f(v + (bias?.[c] ?? 0)), lo), hi);
        }
      const scratch = alloc(Uint8Array, linearBlocksScratchBytes(rows, k, size));
      const cut = inTwoParts(next, Math.ceil(n / COLUMNS), (begin, end) =>
        k8.linearBlocks(
          y.byteOffset,
          ldy,
          x.byteOffset,
          ldx,
          w.byteOffset,
          bias?.byteOffset ?? 0,
          xScale.byteOffset,
          xZero.byteOffset,
          scratch.byteOffset,
          rows,
          n,
          k,
          size,
          hasOffsets ? 1 : 0,
          to,
          begin,
          end,
        ),
      );
      expectSame(y, want, `${[rows, n, k, size]} split at ${cut}`);
      expect(brokenGuard()).toBeUndefined();
    });
  });
});
