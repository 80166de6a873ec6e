// Gradients of scales against the formulas in f32, and fake quantization by the kernels against PyTorch's.

import { beforeEach, describe, expect, test } from "vitest";
import { readNpz } from "../../../src/formats/npz";
import { realFile } from "../../formats/fixtures";
import { inPieces, laneSum, rne, same } from "../../kernels/float";
import {
  alloc,
  brokenGuard,
  fillFloats,
  fillInts,
  loadCommon,
  loadTrain,
  place,
  random,
  reset,
} from "../../kernels/harness";

const common = loadCommon();
const kernels = loadTrain();
beforeEach(reset);
const f = Math.fround;
const inf = Number.POSITIVE_INFINITY;

/** { low | high | rne(v) − v } by where rne(v) lies. */
function slope(v: number, low: number, high: number): number {
  const q = rne(v);
  if (q < low) return low;
  return q > high ? high : f(q - v);
}

describe("of weights", () => {
  test.each([
    [0, 4],
    [1, 1],
    [3, 17],
    [5, 9],
    [17, 1],
    [4, 5],
    [16, 4],
  ])("[%i][%i]", (channels, inner) => {
    const next = random(channels + inner);
    const count = channels * inner;
    const w = fillFloats(alloc(Float32Array, count), next, -0.3, 0.3);
    const dy = fillFloats(alloc(Float32Array, count), next, -1, 1);
    const ds = alloc(Float32Array, channels);
    const dw = alloc(Float32Array, count);
    const factor = f(0.37);
    for (const [limit, least] of [
      [127, 0.001],
      [7, 0.02],
    ] as const) {
      const scale = fillFloats(alloc(Float32Array, channels), next, least, 2 * least);
      const at = [dy, w, scale].map((a) => a.byteOffset) as [number, number, number];
      const v = (i: number) => f(w[i]! / scale[Math.floor(i / inner)]!);
      for (let i = 0; i < count; i += 5) w[i] = (rne(v(i)) + 0.5) * scale[Math.floor(i / inner)]!;
      const parts = Array.from(dy, (d, i) => f(d * slope(v(i), -limit, limit)));
      const expected = Array.from(ds, (_, c) => f(factor * laneSum(parts.slice(c * inner, (c + 1) * inner))));
      inPieces(ds, channels, next, (begin, end) =>
        kernels.weightScaleGradient(ds.byteOffset, ...at, inner, limit, factor, begin, end),
      );
      same(ds, expected);
      const masked = Array.from(dy, (d, i) => (Math.abs(rne(v(i))) <= limit ? d : 0));
      if (count > 4) expect(masked).toContain(0);
      const cut = Math.floor(next() * (channels + 1));
      dw.fill(9);
      kernels.weightGradient(dw.byteOffset, ...at, inner, limit, cut, channels);
      kernels.weightGradient(dw.byteOffset, ...at, inner, limit, 0, cut);
      same(dw, masked);
      const inPlace = place(Float32Array, dy);
      kernels.weightGradient(inPlace.byteOffset, inPlace.byteOffset, at[1], at[2], inner, limit, 0, channels);
      same(inPlace, masked);
      expect(brokenGuard()).toBeUndefined();
    }
  });
});

describe("of activations", () => {
  test.each([
    [0, 1, 4],
    [2, 1, 1],
    [3, 5, 3],
    [2, 4, 4],
    [2, 3, 10],
    [2, 7, 17],
  ])("%i samples of %i pixels × %i channels", (samples, pixels, channels) => {
    const next = random(samples + pixels + channels);
    const count = pixels * channels;
    const sums = fillInts(alloc(Int32Array, samples * count), next, -9000, 9000);
    const dy = fillFloats(alloc(Float32Array, samples * count), next, -1, 1);
    const m = fillFloats(alloc(Float32Array, channels), next, 0.005, 0.04);
    const ds = alloc(Float32Array, samples);
    const [scale, factor] = [f(0.021), f(1.7)];
    for (const [zero, lo, hi] of [
      [117, -inf, inf],
      [0, 0, inf],
      [10, 0, 4],
      [200, -6, -1],
    ] as const) {
      inPieces(ds, samples, next, (begin, end) =>
        kernels.sumScaleGradient(
          ds.byteOffset,
          dy.byteOffset,
          sums.byteOffset,
          m.byteOffset,
          pixels,
          channels,
          scale,
          zero,
          lo,
          hi,
          factor,
          begin,
          end,
        ),
      );
      const parts = Array.from(dy, (d, i) => {
        const v = Math.min(Math.max(f(sums[i]! * m[i % channels]!), f(lo / scale)), f(hi / scale));
        return f(d * slope(v, -zero, 255 - zero));
      });
      const expected = Array.from(ds, (_, n) => f(factor * laneSum(parts.slice(n * count, (n + 1) * count))));
      same(ds, expected);
    }
  });
});

describe("of numbers that become codes", () => {
  test.each([
    [0, 4],
    [1, 1],
    [3, 3],
    [2, 17],
    [4, 64],
    [2, 0],
  ])("%i samples of %i", (samples, count) => {
    const next = random(samples + count);
    const x = fillFloats(alloc(Float32Array, samples * count), next, -4, 4);
    const dy = fillFloats(alloc(Float32Array, samples * count), next, -1, 1);
    const ds = alloc(Float32Array, samples);
    const [scale, factor] = [f(0.021), f(1.7)];
    for (let i = 0; i < x.length; i += 5) x[i] = (rne(f(x[i]! / scale)) + 0.5) * scale;
    for (const zero of [0, 117, 255]) {
      inPieces(ds, samples, next, (begin, end) =>
        kernels.codeScaleGradient(
          ds.byteOffset,
          dy.byteOffset,
          x.byteOffset,
          count,
          scale,
          zero,
          factor,
          begin,
          end,
        ),
      );
      const parts = Array.from(dy, (d, i) => f(d * slope(f(x[i]! / scale), -zero, 255 - zero)));
      const expected = Array.from(ds, (_, n) => f(factor * laneSum(parts.slice(n * count, (n + 1) * count))));
      same(ds, expected);
    }
  });
});

const arraysOf = (name: string) => {
  const file = realFile(`golden/${name}.npz`);
  return file && readNpz(file);
};

const floats = (arrays: ReturnType<typeof readNpz>, name: string) =>
  Float32Array.from(arrays.get(name)!.data);

/** What does not pass is 0 here, and 0 with the sign of dy there. */
const positiveZero = (v: number) => v + 0;

const [lsq, fakeQuantize] = [arraysOf("lsq"), arraysOf("fake_quantize")];

// PyTorch multiplies by the reciprocal of the scale. So does a layer by its multiplier, which is that reciprocal where
// the sums are the values in units of a power of two: no code differs, half steps or not.
test.skipIf(!lsq).for(["plain", "normalised"])("PyTorch's learned scale within 1e-4: %s", (kind) => {
  const of = (name: string) => floats(lsq!, name);
  const unit = 2 ** -26;
  const sums = place(
    Int32Array,
    of("x").map((v) => v / unit),
  );
  const dy = place(Float32Array, of("dy"));
  const scale = of("scale")[0]!;
  const m = place(Float32Array, [unit / scale]);
  const ds = alloc(Float32Array, 4);
  const factor = of(`grad_factor_${kind}`)[0]!;
  kernels.sumScaleGradient(
    ds.byteOffset,
    dy.byteOffset,
    sums.byteOffset,
    m.byteOffset,
    64,
    1,
    scale,
    of("zero_point")[0]!,
    -inf,
    inf,
    factor,
    0,
    4,
  );
  const total = ds.reduce((a, b) => a + b, 0);
  const expected = of(`dscale_${kind}`)[0]!;
  expect(Math.abs(total - expected) / Math.abs(expected)).toBeLessThan(1e-4);
});

// No value lies on a half step, so that the division gives the codes that PyTorch's reciprocal gives.
test.skipIf(!fakeQuantize)("PyTorch's fake quantization of activations", () => {
  const of = (name: string) => floats(fakeQuantize!, name);
  const [scale, zero] = [of("scale")[0]!, of("zero_point")[0]!];
  const [x, dy] = [place(Float32Array, of("x")), place(Float32Array, of("dy"))];
  const n = x.length;
  const codes = alloc(Uint8Array, n);
  const [y, dx] = [alloc(Float32Array, n), alloc(Float32Array, n)];
  const mask = alloc(Uint8Array, n / 8);
  common.quantize(codes.byteOffset, x.byteOffset, scale, zero, 0, 255, 0, n);
  common.dequantize(y.byteOffset, codes.byteOffset, scale, zero, 0, n);
  kernels.quantizeMask(mask.byteOffset, x.byteOffset, scale, zero, n / 4, 0, 4);
  kernels.maskGradient(dx.byteOffset, dy.byteOffset, mask.byteOffset, n / 4, 0, 4);
  of("y").forEach((v, i) => {
    expect(Math.abs(y[i]! - v)).toBeLessThan(1e-6);
  });
  same(dx, of("dx").map(positiveZero));
  expect(dx.some((v) => v === 0) && dx.some((v) => v !== 0)).toBe(true);
});

test.skipIf(!fakeQuantize)("PyTorch's fake quantization of weights, some of them clipped", () => {
  const of = (name: string) => floats(fakeQuantize!, name);
  const [w, dy] = [place(Float32Array, of("w")), place(Float32Array, of("w_dy"))];
  const scale = place(Float32Array, of("w_scale"));
  const codes = place(Int8Array, new Int8Array(w.length));
  const changed = place(Int32Array, new Int32Array(8));
  const dw = alloc(Float32Array, w.length);
  const at = [w.byteOffset, scale.byteOffset] as const;
  kernels.quantizeWeightsAt(codes.byteOffset, changed.byteOffset, ...at, 27, 127, 0, 8);
  kernels.weightGradient(dw.byteOffset, dy.byteOffset, ...at, 27, 127, 0, 8);
  const y = of("w_y");
  codes.forEach((q, i) => {
    expect(Math.abs(q * scale[Math.floor(i / 27)]! - y[i]!)).toBeLessThan(1e-7);
  });
  same(dw, of("w_dx").map(positiveZero));
  expect(dw.some((v) => v === 0)).toBe(true);
});
