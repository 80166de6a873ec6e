import { beforeEach, describe, expect, test } from "vitest";
import { inPieces, SIZES, same } from "./float";
import { alloc, brokenGuard, fillInts, int, loadCommon, random, reset } from "./harness";

const kernels = loadCommon();
beforeEach(reset);

const bytes = (length: number, next: () => number) => fillInts(alloc(Uint8Array, length), next, 0, 255);
const words = (length: number, next: () => number) =>
  fillInts(alloc(Int32Array, length), next, -(2 ** 31), 2 ** 31 - 1);

describe("transpose", () => {
  test.each([
    [0, 3, 4],
    [1, 1, 1],
    [3, 3, 17],
    [2, 17, 3],
    [2, 4, 4],
    [1, 8, 8],
    [2, 9, 23],
    [1, 33, 130],
    [1, 130, 65],
    [1, 512, 35],
    [1, 1024, 19],
    [2, 1, 40],
    [2, 7, 70],
    [3, 5, 24],
    [2, 40, 15],
    [2, 64, 16],
  ])("%i × %i × %i, words and bytes", (batch, rows, cols) => {
    const next = random(rows * cols);
    const from = (i: number) => {
      const [b, j, r] = [Math.floor(i / (rows * cols)), Math.floor(i / rows) % cols, i % rows];
      return (b * rows + r) * cols + j;
    };
    const x32 = words(batch * rows * cols, next);
    const y32 = alloc(Int32Array, x32.length);
    inPieces(y32, batch, next, (b, e) =>
      kernels.transpose32(y32.byteOffset, x32.byteOffset, rows, cols, b, e),
    );
    same(
      y32,
      Array.from(y32, (_, i) => x32[from(i)]!),
    );
    const x8 = bytes(batch * rows * cols, next);
    const y8 = alloc(Uint8Array, x8.length);
    inPieces(y8, batch, next, (b, e) => kernels.transpose8(y8.byteOffset, x8.byteOffset, rows, cols, b, e));
    same(
      y8,
      Array.from(y8, (_, i) => x8[from(i)]!),
    );
  });
});

describe("copyRows", () => {
  test.each(
    SIZES.flatMap(
      (n) =>
        [
          [n, 0],
          [n, 5],
        ] as const,
    ),
  )("rows of %i bytes, %i apart", (n, gap) => {
    const next = random(n + gap);
    const rows = 5;
    const x = bytes(rows * (n + gap), next);
    const y = alloc(Uint8Array, rows * (n + 2 * gap));
    inPieces(y, rows, next, (begin, end) =>
      kernels.copyRows(y.byteOffset, n + 2 * gap, x.byteOffset, n + gap, n, begin, end),
    );
    for (let r = 0; r < rows; r++) {
      same(
        y.subarray(r * (n + 2 * gap), r * (n + 2 * gap) + n),
        x.subarray(r * (n + gap), r * (n + gap) + n),
      );
    }
  });

  test("rows longer than the loop is used for", () => {
    const x = bytes(3000, random(1));
    const y = alloc(Uint8Array, 2000);
    kernels.copyRows(y.byteOffset, 1000, x.byteOffset, 1500, 1000, 0, 2);
    same(y, [...x.subarray(0, 1000), ...x.subarray(1500, 2500)]);
    expect(brokenGuard()).toBeUndefined();
  });
});

describe("copyStrided", () => {
  const sizes = [2, 3, 2, 4, 5, 17] as const;
  const count = sizes.reduce((a, b) => a * b, 1);
  /** Distances between neighbours along each of `axes`, the last one together. */
  const stepsOf = (order: readonly number[]) => {
    const steps = sizes.map(() => 0);
    let step = 1;
    for (const axis of [...order].reverse()) {
      steps[axis] = step;
      step *= sizes[axis]!;
    }
    return steps;
  };
  const dense = stepsOf([0, 1, 2, 3, 4, 5]);
  const reversed = dense.map((step, axis) => (axis === 2 ? step : -step));
  const last = dense.reduce((sum, step, axis) => (axis === 2 ? sum : sum + step * (sizes[axis]! - 1)), 0);
  const cases: readonly [string, readonly number[], number][] = [
    ["copies", dense, 0],
    ["permutes", stepsOf([5, 3, 4, 2, 0, 1]), 0],
    ["turns a matrix", stepsOf([0, 1, 2, 3, 5, 4]), 0],
    ["turns matrices with gaps", stepsOf([2, 5, 1, 3, 0, 4]), 0],
    ["turns a row that repeats", stepsOf([2, 5, 1, 3, 0, 4]).with(5, 0), 0],
    ["repeats", dense.with(0, 0).with(3, 0), 0],
    ["repeats one element", dense.with(4, 0).with(5, 0), 0],
    ["reverses", reversed, last],
    ["turns a matrix round", stepsOf([0, 1, 2, 3, 5, 4]).with(5, -5), 16 * 5],
  ];
  test.each(cases)("%s", (_, steps, start) => {
    const at = Array.from({ length: count }, (_, i) =>
      sizes.reduce((sum, size, axis) => sum + (Math.floor(i / dense[axis]!) % size) * steps[axis]!, start),
    );
    const next = random(start);
    const [d0, d1, d2, d3, d4, d5] = sizes;
    const copy = (x: Int32Array | Uint8Array, y: Int32Array | Uint8Array) => {
      const size = x.BYTES_PER_ELEMENT;
      const [y0, y1, y2, y3, y4, y5] = dense.map((step) => step * size) as unknown as typeof sizes;
      const [x0, x1, x2, x3, x4, x5] = steps.map((step) => step * size) as unknown as typeof sizes;
      inPieces(y, d0, next, (b, e) =>
        kernels.copyStrided(
          ...([y.byteOffset, x.byteOffset + start * size, size, d1, d2, d3, d4, d5] as const),
          ...([y0, y1, y2, y3, y4, y5, x0, x1, x2, x3, x4, x5, b, e] as const),
        ),
      );
      same(
        y,
        at.map((i) => x[i]!),
      );
    };
    copy(bytes(count, next), alloc(Uint8Array, count));
    copy(words(count, next), alloc(Int32Array, count));
  });

  test("writes with strides, leaving the gaps", () => {
    const x = words(12, random(2));
    const y = alloc(Int32Array, 24);
    y.fill(7);
    const [ySteps, xSteps] = [[0, 0, 0, 0, 32, 8] as const, [0, 0, 0, 0, 16, 4] as const];
    kernels.copyStrided(y.byteOffset, x.byteOffset, 4, 1, 1, 1, 3, 4, ...ySteps, ...xSteps, 0, 1);
    same(
      y,
      Array.from(y, (_, i) => (i % 2 ? 7 : x[i / 2]!)),
    );
  });

  test("turns bytes into rows with gaps, leaving these", () => {
    for (const [rows, cols] of [
      [3, 40],
      [9, 33],
    ] as const) {
      const x = bytes(rows * cols, random(rows));
      const y = alloc(Uint8Array, cols * (rows + 2)).fill(7);
      const [ySteps, xSteps] = [[0, 0, 0, 0, rows + 2, 1] as const, [0, 0, 0, 0, 1, cols] as const];
      kernels.copyStrided(y.byteOffset, x.byteOffset, 1, 1, 1, 1, cols, rows, ...ySteps, ...xSteps, 0, 1);
      same(
        y,
        Array.from(y, (_, i) => {
          const [j, r] = [Math.floor(i / (rows + 2)), i % (rows + 2)];
          return r < rows ? x[r * cols + j]! : 7;
        }),
      );
    }
  });
});

test.each(SIZES)("lookup, xor128 and fill32 of %i elements", (n) => {
  const next = random(n);
  const table = bytes(256, next);
  const rows = 3;
  const [ldx, ldy] = [n + int(next, 0, 4), n + int(next, 0, 4)];
  const x = bytes(rows * ldx, next);
  const y = alloc(Uint8Array, rows * ldy);
  inPieces(y, rows, next, (begin, end) =>
    kernels.lookup(y.byteOffset, ldy, x.byteOffset, ldx, n, table.byteOffset, begin, end),
  );
  for (let r = 0; r < rows; r++) {
    same(
      y.subarray(r * ldy, r * ldy + n),
      Array.from(x.subarray(r * ldx, r * ldx + n), (v) => table[v]!),
    );
  }
  const flipped = alloc(Uint8Array, n);
  inPieces(flipped, n, next, (begin, end) => kernels.xor128(flipped.byteOffset, x.byteOffset, begin, end));
  same(
    flipped,
    Array.from(x.subarray(0, n), (v) => v ^ 128),
  );
  const filled = alloc(Int32Array, n);
  inPieces(filled, n, next, (begin, end) => kernels.fill32(filled.byteOffset, -123456789, begin, end));
  same(filled, new Int32Array(n).fill(-123456789));
});
