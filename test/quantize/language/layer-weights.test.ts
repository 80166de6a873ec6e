// Codes of layers against the textbook: GPTQ with the inverse of the Hessian, in f64, and plain rounding.

import { describe, expect, test } from "vitest";
import { quantizeWeights, weightScales } from "../../../src/ops/scheme";
import { LayerInputs } from "../../../src/quantize/language/layer-inputs";
import {
  GROUP,
  type GroupCodes,
  quantizeGroups,
  quantizeRows,
  realGroups,
  realRows,
} from "../../../src/quantize/language/layer-weights";
import { Workspace } from "../../../src/quantize/language/workspace";
import { random } from "../../kernels/harness";

const floats = (n: number, seed: number) => {
  const next = random(seed);
  return Float32Array.from({ length: n }, () => next() + next() + next() - 1.5);
};

/** Inputs whose columns depend on each other, some of them larger. */
function inputsOf(rows: number, k: number): Float32Array {
  const own = floats(rows * k, 5);
  return own.map((x, i) => (x + (i % k > 0 ? own[i - 1]! : 0)) * (i % 7 === 0 ? 4 : 1));
}

function given(x: Float32Array, k: number) {
  const workspace = new Workspace();
  const inputs = new LayerInputs(workspace, k);
  inputs.add(x);
  return { workspace, inputs };
}

/** Mean square of what a layer's outputs change by. */
function errorOf(x: Float32Array, w: Float32Array, real: Float32Array, k: number): number {
  let sum = 0;
  for (let r = 0; r < x.length; r += k)
    for (let n = 0; n < w.length; n += k) {
      let y = 0;
      for (let i = 0; i < k; i++) y += x[r + i]! * (w[n + i]! - real[n + i]!);
      sum += y * y;
    }
  return sum;
}

/** GPTQ as the paper has it: the upper factor of the inverse, errors spread over the columns that follow. */
function textbook(w: Float32Array, x: Float32Array, k: number, { scales, groups }: GroupCodes): Int8Array {
  const h = Array.from({ length: k }, (_, i) =>
    Float64Array.from({ length: k }, (_, j) => {
      let sum = 0;
      for (let r = 0; r < x.length; r += k) sum += x[r + i]! * x[r + j]!;
      return sum;
    }),
  );
  const damping = (0.01 * h.reduce((sum, row, i) => sum + row[i]!, 0)) / k;
  const order = h.map((_, i) => i).sort((a, b) => h[b]![b]! - h[a]![a]! || a - b);
  for (let i = 0; i < k; i++) h[i]![i]! += damping;
  const inverse = inverted(order.map((a) => Float64Array.from(order, (b) => h[a]![b]!)));
  const upper = upperFactor(inverse);
  const codes = new Int8Array(w.length);
  for (let n = 0; n * k < w.length; n++) {
    const left = Float64Array.from(order, (column) => w[n * k + column]!);
    for (let j = 0; j < k; j++) {
      const column = order[j]!;
      const scale = Math.fround(scales[n]! * groups[((n * k + column) / GROUP) | 0]!);
      const q = scale === 0 ? 0 : Math.max(-8, Math.min(7, Math.round(left[j]! / scale)));
      codes[n * k + column] = q;
      const error = (left[j]! - scale * q) / upper[j]![j]!;
      for (let i = j + 1; i < k; i++) left[i]! -= error * upper[j]![i]!;
    }
  }
  return codes;
}

/** By Gauss and Jordan, of a positive definite matrix. */
function inverted(matrix: Float64Array[]): Float64Array[] {
  const k = matrix.length;
  const a = matrix.map((row, i) =>
    Float64Array.from({ length: 2 * k }, (_, j) => (j < k ? row[j]! : +(j - k === i))),
  );
  for (let i = 0; i < k; i++) {
    const pivot = a[i]![i]!;
    for (let j = 0; j < 2 * k; j++) a[i]![j]! /= pivot;
    for (let r = 0; r < k; r++) {
      const factor = a[r]![i]!;
      if (r !== i && factor !== 0) for (let j = 0; j < 2 * k; j++) a[r]![j]! -= factor * a[i]![j]!;
    }
  }
  return a.map((row) => row.slice(k));
}

/** U of a = UᵀU. */
function upperFactor(a: Float64Array[]): Float64Array[] {
  const u = a.map((row) => new Float64Array(row.length));
  for (let i = 0; i < a.length; i++)
    for (let j = i; j < a.length; j++) {
      let sum = a[i]![j]!;
      for (let p = 0; p < i; p++) sum -= u[p]![i]! * u[p]![j]!;
      u[i]![j] = i === j ? Math.sqrt(sum) : sum / u[i]![i]!;
    }
  return u;
}

describe("codes of 8 bits", () => {
  test.each([
    [1, 1],
    [3, 4],
    [17, 96],
    [4, 0],
    [0, 4],
  ])("%i rows of %i are those of ops/scheme.ts", (n, k) => {
    const w = floats(n * k, n);
    if (n > 3) w.fill(0, 0, k);
    const scales = weightScales(w, n);
    const { codes, scales: made } = quantizeRows(new Workspace(), w, n, k);
    expect(made).toEqual(scales);
    expect(codes).toEqual(quantizeWeights(w, scales));
  });

  test("more rows than one part has", () => {
    const [n, k] = [40, 2 ** 17];
    const w = floats(n * k, 1);
    const { codes, scales } = quantizeRows(new Workspace(), w, n, k);
    expect(codes.subarray(39 * k)).toEqual(quantizeWeights(w.subarray(39 * k), scales.subarray(39)));
    expect(Math.abs(realRows({ codes, scales })[39 * k]! - w[39 * k]!)).toBeLessThan(scales[39]! * 0.51);
  });
});

describe("codes of 4 bits", () => {
  const [n, k, rows] = [37, 128, 300];
  const x = inputsOf(rows, k);
  const w = floats(n * k, 9);

  test("differ from the textbook's only where a column is at half a step", () => {
    const { workspace, inputs } = given(x, k);
    const made = quantizeGroups(workspace, w, n, k, inputs);
    const want = textbook(w, x, k, made);
    const rowsThatDiffer = Array.from({ length: n }, (_, i) => i).filter((i) =>
      want.subarray(i * k, (i + 1) * k).some((code, j) => code !== made.codes[i * k + j]),
    );
    // An f32 sum and an f64 sum fall on two sides of a half in few rows; from there on their errors go other ways.
    expect(rowsThatDiffer.length).toBeLessThan(4);
  });

  test("err less than rounding to the nearest, which errs less than scales of max|w| / 7", () => {
    const { workspace, inputs } = given(x, k);
    const made = quantizeGroups(workspace, w, n, k, inputs);
    const nearest = made.codes.map((_, i) => {
      const scale = made.scales[Math.floor(i / k)]! * made.groups[Math.floor(i / GROUP)]!;
      return Math.max(-8, Math.min(7, Math.round(w[i]! / scale)));
    });
    const plain = w.map((_, i) => {
      const from = i - (i % GROUP);
      const scale = w.subarray(from, from + GROUP).reduce((a, b) => Math.max(a, Math.abs(b)), 0) / 7;
      return scale * Math.round(w[i]! / scale);
    });
    const error = errorOf(x, w, realGroups(made), k);
    const ofNearest = errorOf(x, w, realGroups({ ...made, codes: nearest }), k);
    expect(error).toBeLessThan(0.8 * ofNearest);
    expect(ofNearest).toBeLessThan(0.9 * errorOf(x, w, plain, k));
  });

  test("are the same whether inputs come in one part or many, and in a workspace that is used again", () => {
    const { workspace, inputs } = given(x, k);
    const first = quantizeGroups(workspace, w, n, k, inputs);
    const parts = new LayerInputs(workspace, k);
    for (let r = 0; r < rows; r += 50) parts.add(x.subarray(r * k, (r + 50) * k));
    expect(quantizeGroups(workspace, w, n, k, parts)).toEqual(first);
  });

  test("of inputs that were always 0, and of weights that are 0", () => {
    const { workspace, inputs } = given(new Float32Array(4 * k), k);
    const made = quantizeGroups(workspace, new Float32Array(2 * k), 2, k, inputs);
    expect([...made.scales]).toEqual([1, 1]);
    expect(made.codes.every((code) => code === 0)).toBe(true);
    const some = quantizeGroups(workspace, w, n, k, inputs);
    expect(errorOf(x, w, realGroups(some), k)).toBeLessThan(0.02 * errorOf(x, w, new Float32Array(n * k), k));
  });

  test("of inputs that are not finite are an error", () => {
    const { workspace, inputs } = given(
      Float32Array.from(x, (v, i) => (i === 4 ? Number.NaN : v)),
      k,
    );
    expect(() => quantizeGroups(workspace, w, n, k, inputs)).toThrow(/finite/);
  });
});
