import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  ADD,
  BESIDE_COLUMNS,
  DEQUANTIZE,
  gemmInt8ScratchBytes,
  offsetInt8Bytes,
  packedInt8Bytes,
  SUMS,
} from "../../assembly/int8/sizes";
import {
  alloc,
  brokenGuard,
  classes,
  expectSame,
  fillFloats,
  fillInts,
  int,
  place,
  random,
  reset,
} from "./harness";
import { add, dequantize, dot, fieldsOf, requantize, someAddition } from "./oracle-int8";
import { epilogue } from "./structs";

/** rows, n, k */
const SHAPES = [
  ...[0, 1, 3, 4, 17].flatMap((rows) =>
    [0, 1, 3, 4, 17].flatMap((n) => [0, 1, 3, 4, 17].map((k) => [rows, n, k])),
  ),
  [5, 33, 7],
  [1, 100, 90],
  [2, 257, 33],
  [7, 40, 64],
  [13, 10, 784],
  [64, 48, 300],
  [6, 64, 129],
  [100, 24, 500],
  [2, 72, 4099],
  [41, 9, 2048],
] as [number, number, number][];

type Fill = "random" | "lowest" | "highest";

/** The operands of one product, in the kernels' memory; weights as [n][k]. */
function operands(rows: number, n: number, k: number, fill: Fill, seed: number) {
  const next = random(seed);
  const ldx = k + int(next, 0, 5);
  const x = fillInts(alloc(Uint8Array, Math.max(0, rows * ldx)), next, 0, 255);
  const w = fillInts(alloc(Int8Array, n * k), next, -128, 127);
  if (fill === "lowest") w.fill(-128);
  if (fill === "highest") w.fill(127);
  if (fill !== "random") x.fill(255);
  const bias = fillInts(alloc(Int32Array, n), next, -(2 ** 20), 2 ** 20);
  return { next, ldx, x, w, bias };
}

describe.each(classes)("$name", ({ kernels: k8 }) => {
  beforeEach(reset);
  afterEach(() => expect(brokenGuard()).toBeUndefined());

  function pack(w: Int8Array, bias: Int32Array | undefined, z: number, n: number, k: number, columns = 8) {
    const panels = alloc(Uint8Array, packedInt8Bytes(n, k, 1, columns));
    const offset = alloc(Int32Array, offsetInt8Bytes(n) / 4);
    k8.packWeightsInt8(
      panels.byteOffset,
      offset.byteOffset,
      w.byteOffset,
      bias?.byteOffset ?? 0,
      z,
      n,
      1,
      1,
      k,
      k,
      0,
      0,
      1,
      columns / 8,
    );
    return { panels, offset };
  }

  /** As gemv takes them. */
  function packRow(...[w, bias, z, n, k]: Parameters<typeof pack>) {
    const { panels, offset } = pack(w, bias, z, n, k, BESIDE_COLUMNS);
    k8.packRowWeightsInt8(panels.byteOffset, n, k);
    return { panels, offset };
  }

  test.each([
    "random",
    "lowest",
    "highest",
  ] as const)("to codes, and with others added, exact: %s", (fill) => {
    SHAPES.forEach(([rows, n, k], seed) => {
      reset();
      const { next, ldx, x, w, bias } = operands(rows, n, k, fill, seed + 1);
      const xZero = int(next, 0, 255);
      const lo = int(next, 0, 100);
      const codes = { zero: int(next, 0, 255), lo, hi: int(next, lo, 255) };
      if (seed % 2) Object.assign(codes, { lo: 0, hi: 255 });
      // powers of two make ties; the rest spread a typical sum over the codes, and some saturate everywhere
      const spread = 255 / (128 * 128 * Math.sqrt(k + 1));
      const scale = place(
        Float32Array,
        Array.from({ length: n }, (_, c) =>
          c % 3 === 0 ? 2 ** -int(next, 1, 12) : Math.fround(spread * (c % 7 === 6 ? 1e6 : next())),
        ),
      );
      const { panels, offset } = pack(w, bias, -xZero, n, k);
      const ldy = n + int(next, 0, 5);
      const y = alloc(Uint8Array, rows * ldy);
      const scratch = alloc(Uint8Array, gemmInt8ScratchBytes(rows, k));
      const want = y.slice();
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < n; c++) {
          const sum = dot(
            k,
            (i) => x[r * ldx + i]! - xZero,
            (i) => w[c * k + i]!,
          );
          want[r * ldy + c] = requantize((sum + bias[c]!) | 0, scale[c]!, codes);
        }
      const run = (begin: number, end: number, addend = 0, to = epilogue(codes)) =>
        k8.gemmInt8(
          y.byteOffset,
          ldy,
          x.byteOffset,
          ldx,
          panels.byteOffset,
          offset.byteOffset,
          scale.byteOffset,
          addend,
          0,
          0,
          scratch.byteOffset,
          n,
          k,
          to,
          begin,
          end,
        );
      run(0, rows);
      expectSame(y, want, `${[rows, n, k]}`);
      expect(brokenGuard()).toBeUndefined();
      y.fill(0xcb);
      const cut = int(next, 0, rows);
      run(cut, rows);
      expect(y.subarray(0, cut * ldy).every((b) => b === 0xcb)).toBe(true);
      run(0, cut);
      expectSame(y, want, `${[rows, n, k]} split at ${cut}`);
      const other = fillInts(alloc(Uint8Array, rows * ldy), next, 0, 255);
      const addition = someAddition((from, to) => int(next, from, to), seed % 2 === 0);
      const added = epilogue({ kind: ADD, ...codes, ...fieldsOf(addition) });
      const sums = want.slice();
      for (let r = 0; r < rows; r++)
        for (let at = r * ldy; at < r * ldy + n; at++)
          sums[at] = add(want[at]!, codes.zero, other[at]!, addition);
      y.fill(0xcb);
      run(cut, rows, other.byteOffset, added);
      run(0, cut, other.byteOffset, added);
      expectSame(y, sums, `${[rows, n, k]} added, split at ${cut}`);
      expect(brokenGuard()).toBeUndefined();
      if (rows === 0) return;
      const row = packRow(w, bias, -xZero, n, k);
      y.fill(0xcb);
      const all = Math.ceil(n / BESIDE_COLUMNS);
      const half = int(next, 0, all);
      for (const [begin, end] of [
        [0, half],
        [half, all],
      ] as const)
        k8.gemvInt8(
          y.byteOffset,
          x.byteOffset,
          row.panels.byteOffset,
          row.offset.byteOffset,
          scale.byteOffset,
          0,
          0,
          0,
          scratch.byteOffset,
          n,
          k,
          epilogue(codes),
          begin,
          end,
        );
      expectSame(y.subarray(0, n), want.subarray(0, n), `gemv ${[n, k]}`);
      expect(y.subarray(n).every((b) => b === 0xcb)).toBe(true);
    });
  });

  test("a scale that is not finite saturates: infinity to its side, NaN to lo", () => {
    const w = place(Int8Array, [1, -1, 0, 1]);
    const { panels, offset } = pack(w, undefined, 0, 4, 1);
    const scale = place(Float32Array, [Infinity, Infinity, Infinity, NaN]);
    const x = place(Uint8Array, [1]);
    const y = alloc(Uint8Array, 4);
    const scratch = alloc(Uint8Array, gemmInt8ScratchBytes(1, 1));
    k8.gemmInt8(
      y.byteOffset,
      4,
      x.byteOffset,
      1,
      panels.byteOffset,
      offset.byteOffset,
      scale.byteOffset,
      0,
      0,
      0,
      scratch.byteOffset,
      4,
      1,
      epilogue({ zero: 100, lo: 3, hi: 250 }),
      0,
      1,
    );
    expect([...y]).toEqual([250, 3, 3, 3]);
  });

  test.each(["random", "lowest", "highest"] as const)("to sums, exact: %s", (fill) => {
    SHAPES.forEach(([rows, n, k], seed) => {
      reset();
      const { next, ldx, x, w, bias } = operands(rows, n, k, fill, seed + 200);
      const xZero = int(next, 0, 255);
      const { panels, offset } = pack(w, bias, -xZero, n, k);
      const ldy = n + int(next, 0, 5);
      const y = alloc(Int32Array, rows * ldy);
      const scratch = alloc(Uint8Array, gemmInt8ScratchBytes(rows, k));
      const empty = y.slice();
      const want = y.slice();
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < n; c++)
          want[r * ldy + c] =
            bias[c]! +
            dot(
              k,
              (i) => x[r * ldx + i]! - xZero,
              (i) => w[c * k + i]!,
            );
      const [yAt, xAt, wAt] = [y.byteOffset, x.byteOffset, panels.byteOffset];
      const [at, free] = [offset.byteOffset, scratch.byteOffset];
      const cut = int(next, 0, rows);
      const tail = [0, 0, 0, 0, free, n, k, epilogue({ kind: SUMS })] as const;
      k8.gemmInt8(yAt, ldy, xAt, ldx, wAt, at, ...tail, cut, rows);
      k8.gemmInt8(yAt, ldy, xAt, ldx, wAt, at, ...tail, 0, cut);
      expectSame(y, want, `${[rows, n, k]}`);
      if (rows === 0) return;
      const row = packRow(w, bias, -xZero, n, k);
      y.set(empty);
      const all = Math.ceil(n / BESIDE_COLUMNS);
      const half = int(next, 0, all);
      k8.gemvInt8(yAt, xAt, row.panels.byteOffset, row.offset.byteOffset, ...tail, half, all);
      k8.gemvInt8(yAt, xAt, row.panels.byteOffset, row.offset.byteOffset, ...tail, 0, half);
      want.set(empty.subarray(n), n);
      expectSame(y, want, `gemv ${[n, k]}`);
    });
  });

  test.each(["random", "lowest", "highest"] as const)("to f32, exact: %s", (fill) => {
    SHAPES.forEach(([rows, n, k], seed) => {
      reset();
      const { next, ldx, x, w } = operands(rows, n, k, fill, seed + 100);
      const stride = seed % 2;
      const xScale = fillFloats(alloc(Float32Array, stride ? rows : 1), next, 0.001, 0.1);
      const xZero = fillInts(alloc(Int32Array, stride ? rows : 1), next, 0, 255);
      const scale = fillFloats(alloc(Float32Array, n), next, 1e-4, 1e-2);
      const bias = seed % 3 ? fillFloats(alloc(Float32Array, n), next, -2, 2) : undefined;
      const [lo, hi] = seed % 4 ? [-Infinity, Infinity] : [0, 6];
      const { panels, offset } = pack(w, undefined, 1, n, k);
      const ldy = n + int(next, 0, 5);
      const y = alloc(Float32Array, rows * ldy);
      const scratch = alloc(Uint8Array, gemmInt8ScratchBytes(rows, k));
      const want = y.slice();
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < n; c++) {
          const sum = dot(
            k,
            (i) => x[r * ldx + i]!,
            (i) => w[c * k + i]!,
          );
          want[r * ldy + c] = dequantize(
            sum,
            offset[c]!,
            scale[c]!,
            bias?.[c] ?? 0,
            xScale[r * stride]!,
            xZero[r * stride]!,
            lo!,
            hi!,
          );
        }
      const empty = y.slice();
      const to = epilogue({ kind: DEQUANTIZE, lo: lo!, hi: hi!, rowStride: stride });
      const cut = int(next, 0, rows);
      for (const [begin, end] of [
        [cut, rows],
        [0, cut],
      ] as const)
        k8.gemmInt8(
          y.byteOffset,
          ldy,
          x.byteOffset,
          ldx,
          panels.byteOffset,
          offset.byteOffset,
          scale.byteOffset,
          bias?.byteOffset ?? 0,
          xScale.byteOffset,
          xZero.byteOffset,
          scratch.byteOffset,
          n,
          k,
          to,
          begin,
          end,
        );
      expectSame(y, want, `${[rows, n, k]}`);
      expect(brokenGuard()).toBeUndefined();
      if (rows === 0) return;
      const row = packRow(w, undefined, 1, n, k);
      y.set(empty);
      const all = Math.ceil(n / BESIDE_COLUMNS);
      const half = int(next, 0, all);
      for (const [begin, end] of [
        [half, all],
        [0, half],
      ] as const)
        k8.gemvInt8(
          y.byteOffset,
          x.byteOffset,
          row.panels.byteOffset,
          row.offset.byteOffset,
          scale.byteOffset,
          bias?.byteOffset ?? 0,
          xScale.byteOffset,
          xZero.byteOffset,
          scratch.byteOffset,
          n,
          k,
          to,
          begin,
          end,
        );
      want.set(empty.subarray(n), n);
      expectSame(y, want, `gemv ${[n, k]}`);
    });
  });
});
