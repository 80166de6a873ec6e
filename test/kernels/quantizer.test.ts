// Kernels of quantizing language models against scalar loops that round step by step in the same order.

import { afterEach, beforeEach, expect, test } from "vitest";
import { rne } from "../../src/ops/codes";
import { alloc, brokenGuard, expectSame, fillFloats, loadQuantizer, place, random, reset } from "./harness";

const kernels = loadQuantizer();
beforeEach(reset);
afterEach(() => expect(brokenGuard()).toBeUndefined());

const { fround } = Math;
const COLUMNS = [1, 3, 4, 8, 17, 40];
const COUNTS = [0, 1, 3, 4, 17];

/** XᵀX of f32 sums in the order of the rows, whole. */
function gramOf(x: Float32Array, rows: number, k: number): Float32Array {
  const h = new Float32Array(k * k);
  for (let i = 0; i < k; i++)
    for (let j = 0; j < k; j++)
      for (let r = 0; r < rows; r++) h[i * k + j]! += fround(x[r * k + i]! * x[r * k + j]!);
  return h;
}

test.each(COLUMNS.flatMap((k) => COUNTS.map((rows) => [rows, k])))("gram of %i × %i", (rows, k) => {
  const panels = Math.ceil(k / 8);
  const ld = 8 * panels;
  const x = fillFloats(alloc(Float32Array, rows * k), random(rows + k), -3, 3);
  const packed = alloc(Float32Array, rows * ld);
  const h = alloc(Float32Array, ld * ld).fill(0);
  kernels.packGram(packed.byteOffset, x.byteOffset, rows, k, 0, panels);
  // In two ranges, as threads would.
  kernels.addGram(h.byteOffset, packed.byteOffset, rows, panels, panels >> 1, panels);
  kernels.addGram(h.byteOffset, packed.byteOffset, rows, panels, 0, panels >> 1);
  const want = gramOf(x, rows, k);
  for (let i = 0; i < k; i++)
    expectSame(h.slice(i * ld, i * ld + i + 1), want.slice(i * k, i * k + i + 1), `row ${i}`);
});

/** A factor made column by column of the mirrored matrix, in the kernel's order of sums. */
function factorOf(h: Float32Array, order: readonly number[], damping: number): Float64Array[] {
  const k = order.length;
  const m = order.map((i, a) =>
    Float64Array.from({ length: k }, (_, b) => h[i * k + order[b]!]! + (a === b ? damping : 0)),
  );
  for (let top = k; top > 0; ) {
    const low = (top - 1) & ~31;
    for (let j = top - 1; j >= low; j--) {
      const root = Math.sqrt(m[j]![j]!);
      for (let i = 0; i <= j; i++) m[j]![i]! /= root;
      for (let a = low; a < j; a++) for (let i = 0; i <= a; i++) m[a]![i]! -= m[j]![a]! * m[j]![i]!;
    }
    for (let a = 0; a < low; a++)
      for (let i = 0; i <= a; i++) for (let p = low; p < top; p++) m[a]![i]! -= m[p]![a]! * m[p]![i]!;
    top = low;
  }
  return m;
}

/** Columns in an order of no meaning. */
const shuffled = (k: number) =>
  Array.from({ length: k }, (_, i) => (i * 7 + 3) % k).filter((v, i, a) => a.indexOf(v) === i);

test.each([1, 3, 4, 17, 31, 32, 33, 70])("a symmetric matrix of %i is MᵀM", (k) => {
  const rows = 2 * k;
  const x = fillFloats(new Float32Array(rows * k), random(k), -1, 1);
  const h = place(Float32Array, gramOf(x, rows, k));
  const columns = shuffled(k);
  const order = place(
    Int32Array,
    columns.length === k ? columns : columns.concat([...Array(k).keys()].filter((i) => !columns.includes(i))),
  );
  const ld = Math.ceil(k / 4) * 4;
  const m = alloc(Float64Array, k * ld).fill(0);
  const damping = 0.25;
  kernels.orderGram(m.byteOffset, ld, h.byteOffset, k, order.byteOffset, damping, 0, k);
  expect(kernels.factorTriangle(m.byteOffset, k, ld)).toBe(-1);
  const want = factorOf(h, [...order], damping);
  for (let j = 0; j < k; j++)
    expectSame(m.slice(j * ld, j * ld + j + 1), want[j]!.slice(0, j + 1), `row ${j}`);
  for (let a = 0; a < k; a++)
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let j = a; j < k; j++) sum += want[j]![a]! * want[j]![b]!;
      const given = h[order[a]! * k + order[b]!]! + (a === b ? damping : 0);
      expect(Math.abs(sum - given)).toBeLessThan(1e-9 * k);
    }
  kernels.unitRows(m.byteOffset, k, ld);
  const n = new Float32Array(m.buffer, m.byteOffset, k * ld);
  for (let j = 0; j < k; j++)
    expectSame(
      n.slice(j * ld, j * ld + j + 1),
      Float32Array.from(want[j]!.subarray(0, j + 1), (v) => v / want[j]![j]!),
    );
});

test("a matrix that is not positive definite is told by its row", () => {
  const m = place(Float64Array, [1, 0, 0, 0, 2, 1, 0, 0]);
  expect(kernels.factorTriangle(m.byteOffset, 2, 4)).toBe(0);
  m.set([1, 0, 0, 0, 0, NaN, 0, 0]);
  expect(kernels.factorTriangle(m.byteOffset, 2, 4)).toBe(1);
});

/** (l0 + l2) + (l1 + l3) of sums that lie in four lanes. */
const sum4 = (l: number[]) => fround(fround(l[0]! + l[2]!) + fround(l[1]! + l[3]!));
const clamp = (q: number, lo: number, hi: number) => Math.min(hi, Math.max(lo, q));

/** Every integer scale, the one with the least error. */
function scaleOf(w: Float32Array, weight: Float32Array, unit: number): number {
  let best = 0;
  let least = Infinity;
  const most = w.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  for (let s = 1; s <= 127; s++) {
    const scale = fround(unit * s);
    if (scale > fround(most + most) && best !== 0) break;
    const reciprocal = fround(1 / scale);
    for (const [sign, lo, hi] of [
      [1, -8, 7],
      [-1, -7, 8],
    ] as const) {
      const lanes = [0, 0, 0, 0];
      for (let i = 0; i < w.length; i++) {
        const x = fround(w[i]! * reciprocal);
        const d = fround(x - clamp(rne(x), lo, hi));
        lanes[i & 3] = fround(lanes[i & 3]! + fround(weight[i]! * fround(d * d)));
      }
      const error = fround(sum4(lanes) * fround(scale * scale));
      if (error < least) [least, best] = [error, sign * s];
    }
  }
  return best;
}

test.each([
  [1, 32, 32],
  [3, 64, 32],
  [17, 96, 32],
  [4, 12, 4],
])("integer scales of %i rows of %i, in groups of %i", (rows, k, size) => {
  const next = random(rows + k);
  const w = fillFloats(alloc(Float32Array, rows * k), next, -1, 1);
  w[1] = 40; // one column fills its group
  if (rows > 2) w.fill(0, k, 2 * k);
  if (rows > 3) w.fill(0, 3 * k, 3 * k + size);
  const weight = fillFloats(alloc(Float32Array, k), next, 0, 2);
  const across = k / size;
  const scales = alloc(Int8Array, rows * across);
  const units = alloc(Float32Array, rows);
  kernels.searchScales(
    scales.byteOffset,
    units.byteOffset,
    w.byteOffset,
    weight.byteOffset,
    k,
    size,
    8,
    0,
    rows,
  );
  for (let row = 0; row < rows; row++) {
    const own = w.subarray(row * k, (row + 1) * k);
    const most = own.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const unit = fround(most / fround(8 * 127));
    expect(units[row]).toBe(most === 0 ? 1 : unit);
    for (let g = 0; g < across; g++) {
      const [from, to] = [g * size, (g + 1) * size];
      const want = most === 0 ? 0 : scaleOf(own.subarray(from, to), weight.subarray(from, to), unit);
      expect(scales[row * across + g]).toBe(want);
    }
  }
});

/** Column by column, each row for itself. */
function fedBack(
  w: Float32Array,
  s: Float32Array,
  n: Float32Array,
  order: Int32Array,
  [k, size, lo, hi]: readonly [number, number, number, number],
): Int8Array {
  const codes = new Int8Array(k);
  const errors = new Float32Array(k);
  for (let j = 0; j < k; j++) {
    const column = order[j]!;
    let sum = 0;
    for (let i = 0; i < j; i++) sum = fround(sum + fround(n[j * k + i]! * errors[i]!));
    const scale = s[Math.floor(column / size)]!;
    const at = fround(fround(w[column]! + sum) * (scale === 0 ? 0 : fround(1 / scale)));
    codes[column] = clamp(rne(at), lo, hi);
    errors[j] = fround(w[column]! - fround(scale * codes[column]!));
  }
  return codes;
}

test.each([
  [0, 32, 32],
  [1, 32, 32],
  [3, 64, 32],
  [4, 17, 5],
  [17, 96, 32],
  [35, 8, 4],
])("%i rows of %i columns, in groups of %i, rounded with feedback", (rows, k, size) => {
  const next = random(rows + k);
  const across = Math.ceil(k / size);
  const w = fillFloats(alloc(Float32Array, rows * k), next, -1, 1);
  const s = fillFloats(alloc(Float32Array, rows * across), next, -0.2, 0.2);
  if (rows > 1) s[0] = 0;
  const n = fillFloats(alloc(Float32Array, k * k), next, -0.3, 0.3);
  const order = place(
    Int32Array,
    Int32Array.from({ length: k }, (_, i) => k - 1 - i),
  );
  const codes = alloc(Int8Array, rows * k);
  const scratch = alloc(Uint8Array, kernels.feedbackScratchBytes(k, across) + 64);
  const run = (begin: number, end: number) =>
    kernels.roundWithFeedback(
      ...([codes.byteOffset, w.byteOffset, s.byteOffset, n.byteOffset, k] as const),
      ...([order.byteOffset, scratch.byteOffset, k, size, -8, 7, begin, end] as const),
    );
  run(rows >> 1, rows);
  run(0, rows >> 1);
  const want = new Int8Array(rows * k);
  for (let row = 0; row < rows; row++) {
    const [weights, scales] = [
      w.subarray(row * k, (row + 1) * k),
      s.subarray(row * across, (row + 1) * across),
    ];
    want.set(fedBack(weights, scales, n, order, [k, size, -8, 7]), row * k);
  }
  expectSame(codes, want);
});
