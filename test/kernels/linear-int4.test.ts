import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  COLUMNS,
  columnSumBytes,
  LINEAR_INT4_SCRATCH,
  packedInt4Bytes,
  packedRowsInt4Bytes,
  segmentDepth,
  segmentsOf,
} from "../../assembly/int4/sizes";
import { up } from "../../assembly/lanes/whole";
import { alloc, brokenGuard, classes, expectSame, fillFloats, fillInts, random, reset } from "./harness";
import { inTwoParts, linearRows } from "./linear-rows";

const f = Math.fround;

/** rows, n, k, size of a group */
const SHAPES = [
  ...[0, 1, 3, 4, 17].flatMap((rows) =>
    [0, 1, 3, 4, 17].flatMap((n) => [0, 32, 96].map((k) => [rows, n, k, 32])),
  ),
  [1, 50, 128, 64],
  [2, 33, 64, 64],
  [5, 16, 640, 32],
  [6, 40, 192, 96],
  [64, 48, 544, 32],
  [70, 24, 64, 32],
  [130, 3, 32, 32],
  [3, 17, 8288, 32],
  [5, 5, 8288, 32],
  [1, 3, 8320, 32],
  [4, 20, 16416, 32],
] as [number, number, number, number][];

type Fill = "random" | "lowest" | "highest";

/** Weights in groups, in the kernels' memory. */
function weights(n: number, k: number, size: number, fill: Fill, hasOffsets: boolean, next: () => number) {
  const q = fillInts(alloc(Int8Array, n * k), next, -8, 7);
  const s = fillInts(alloc(Int8Array, (n * k) / size), next, -127, 127);
  // Of more k, sums of full offsets do not fit.
  const most = k <= 192 ? 31751 : 40;
  const t = hasOffsets ? fillInts(alloc(Int32Array, (n * k) / size), next, -most, most) : undefined;
  if (fill !== "random") {
    q.fill(fill === "lowest" ? -8 : 7);
    s.fill(fill === "lowest" ? -127 : 127);
    t?.fill(0);
  }
  return { q, s, t };
}

describe.each(classes)("$name", ({ kernels: k8 }) => {
  beforeEach(reset);
  afterEach(() => expect(brokenGuard()).toBeUndefined());

  const pack = ({ q, s, t }: ReturnType<typeof weights>, n: number, k: number, size: number) => {
    const panels = alloc(Uint8Array, packedInt4Bytes(n, k, t ? 1 : 0));
    const colsum = alloc(Int32Array, columnSumBytes(n, k) / 4);
    const [w, sums] = [panels.byteOffset, colsum.byteOffset];
    const fault = k8.packInt4(
      w,
      sums,
      q.byteOffset,
      s.byteOffset,
      t?.byteOffset ?? 0,
      ...([n, k, size, up(n, COLUMNS)] as const),
    );
    return { w, sums, fault };
  };

  test.each([
    ["random", false],
    ["random", true],
    ["lowest", false],
    ["highest", false],
    ["highest", true],
  ] as const)("linearInt4, exact: %s, offsets: %s", (fill, hasOffsets) => {
    SHAPES.forEach(([rows, n, k, size], seed) => {
      reset();
      const made = linearRows([rows, n, k], seed, fill !== "random");
      const { next, ldx, ldy, x, stride, xScale, xZero, bias, lo, hi, y, want, to } = made;
      if (fill !== "random") xZero.fill(0);
      const own = weights(n, k, size, fill, hasOffsets, next);
      const scale = fillFloats(alloc(Float32Array, n), next, 1e-4, 1e-2);
      const { w, sums, fault } = pack(own, n, k, size);
      expect(fault, `${[rows, n, k]}`).toBe(0);
      const depth = segmentDepth(k);
      for (let c = 0; c < n; c++) {
        const values = Array.from({ length: k }, (_, i) => {
          const g = Math.floor((c * k + i) / size);
          return own.s[g]! * own.q[c * k + i]! - (own.t?.[g] ?? 0);
        });
        for (let r = 0; r < rows; r++) {
          let v = 0;
          for (let s = 0; s < segmentsOf(k); s++) {
            let sum = 0;
            for (let i = s * depth; i < Math.min(k, (s + 1) * depth); i++)
              sum += values[i]! * (x[r * ldx + i]! - xZero[r * stride]!);
            v = f(v + f(sum));
          }
          const out = f(f(v * f(xScale[r * stride]! * scale[c]!)) + (bias?.[c] ?? 0));
          want[r * ldy + c] = Math.min(Math.max(out, lo), hi);
        }
      }
      const scratch = alloc(Uint8Array, LINEAR_INT4_SCRATCH);
      const packed = alloc(Uint8Array, packedRowsInt4Bytes(rows, k));
      inTwoParts(next, rows, (begin, end) =>
        k8.packRowsInt4(packed.byteOffset, x.byteOffset, ldx, rows, k, begin, end),
      );
      const cut = inTwoParts(next, Math.ceil(n / COLUMNS), (begin, end) =>
        k8.linearInt4(
          y.byteOffset,
          ldy,
          packed.byteOffset,
          w,
          sums,
          scale.byteOffset,
          bias?.byteOffset ?? 0,
          xScale.byteOffset,
          xZero.byteOffset,
          scratch.byteOffset,
          rows,
          n,
          k,
          hasOffsets ? 1 : 0,
          to,
          begin,
          end,
        ),
      );
      expectSame(y, want, `${[rows, n, k]} split at ${cut}`);
      expect(brokenGuard()).toBeUndefined();
    });
  });

  test("packInt4 says what does not fit", () => {
    const next = random(1);
    const own = weights(3, 64, 32, "random", true, next);
    const fault = () => pack(own, 3, 64, 32).fault;
    own.t!.fill(-31751);
    expect(fault()).toBe(0);
    for (const [array, at, value, what] of [
      [own.q, 70, 8, 1],
      [own.q, 191, -9, 1],
      [own.q, 0, -128, 1],
      [own.t!, 5, 31752, 2],
      [own.t!, 0, -31752, 2],
    ] as const) {
      const before = array[at]!;
      array[at] = value;
      expect(fault()).toBe(what);
      array[at] = before;
    }
    expect(fault()).toBe(0);
    const k = 8288;
    const long = weights(1, k, 32, "lowest", false, next);
    expect(pack(long, 1, k, 32).fault).toBe(0);
    const t = alloc(Int32Array, k / 32).fill(1);
    expect(pack({ ...long, t }, 1, k, 32).fault).toBe(0);
    expect(pack({ ...long, t: t.fill(-1) }, 1, k, 32).fault).toBe(4);
  });
});
