import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BIAS_LIMIT } from "../../assembly/int8/sizes";
import { MAX_REDUCTION, sumScales } from "../../src/ops/codes";
import {
  activationParameters,
  dequantizeWeights,
  quantizeBias,
  quantizeWeights,
  weightScales,
} from "../../src/ops/scheme";

const { fround } = Math;
const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 100), max: 2 ** 100 });

describe("activation parameters", () => {
  test.each([
    [0, 1, fround(1 / 255), 0],
    [-1, 1, fround(2 / 255), 127], // f32(1 / f32(2 / 255)) is just below 127.5
    [-1, 254, 1, 1],
    [-1.5, 253.5, 1, 2], // halves round to even
    [-2.5, 252.5, 1, 2],
    [-3, -1, fround(3 / 255), 255], // zero is always inside
    [2, 5, fround(5 / 255), 0],
    [0, 0, 1, 0], // degenerate, as ONNX Runtime
    [-(2 ** -140), 2 ** -140, 1, 0], // too small for a normal scale
  ])("[%d, %d] → scale %d, zero point %d", (lo, hi, scale, zeroPoint) => {
    expect(activationParameters(lo, hi)).toEqual({ scale, zeroPoint });
  });

  test("zero has a code of its own, and the ends are within one step", () => {
    fc.assert(
      fc.property(float, float, (a, b) => {
        const [lo, hi] = [Math.min(a, b, 0), Math.max(a, b, 0)];
        const { scale, zeroPoint } = activationParameters(lo, hi);
        expect(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 255).toBe(true);
        expect((0 - zeroPoint) * scale).toBeLessThanOrEqual(lo + scale);
        expect((255 - zeroPoint) * scale).toBeGreaterThanOrEqual(hi - scale);
      }),
    );
  });

  test("a range that is not finite is refused", () => {
    expect(() => activationParameters(0, Infinity)).toThrow(/range must be finite/);
  });
});

describe("weights", () => {
  test("codes are −127..127 and stand for the weights within half a step", () => {
    const values = fc.array(float, { minLength: 1, maxLength: 17 });
    fc.assert(
      fc.property(values, (list) => {
        const w = Float32Array.from(list);
        const scales = weightScales(w, 1);
        const codes = quantizeWeights(w, scales);
        const back = dequantizeWeights(codes, scales);
        for (const [i, code] of codes.entries()) {
          expect(Math.abs(code)).toBeLessThanOrEqual(127);
          expect(Math.abs(back[i]! - w[i]!)).toBeLessThanOrEqual(scales[0]! * 0.50001);
        }
        if (scales[0] !== 1) expect(codes.some((code) => Math.abs(code) === 127)).toBe(true);
      }),
    );
  });

  test("halves round to even, by a true division", () => {
    const w = Float32Array.from([127, 0.5, 1.5, 2.5, -0.5, -1.5]);
    expect([...quantizeWeights(w, weightScales(w, 1))]).toEqual([127, 0, 2, 2, 0, -2]);
  });

  test("four bits: codes are −7..7", () => {
    const w = Float32Array.from([7, 0.5, 1.5, -7, -3.4, 0]);
    const scales = weightScales(w, 1, { limit: 7 });
    expect([...scales]).toEqual([1]);
    expect([...quantizeWeights(w, scales, 7)]).toEqual([7, 0, 2, -7, -3, 0]);
    expect([...quantizeWeights(w, Float32Array.of(0.25), 7)]).toEqual([7, 2, 6, -7, -7, 0]);
  });

  test("one scale a tensor is that of the largest channel", () => {
    const w = Float32Array.from([1, -2, 127, 3]);
    expect([...weightScales(w, 2, { perTensor: true })]).toEqual([1, 1]);
  });

  test("a channel of zeros has scale 1, or one at which its bias is exact enough", () => {
    const zeros = new Float32Array(6);
    expect([...weightScales(zeros, 2)]).toEqual([1, 1]);
    const bias = Float32Array.from([0, 0.37]);
    const scales = weightScales(zeros, 2, { inputScale: 0.02, bias });
    expect(scales[0]).toBe(1);
    const steps = sumScales(0.02, scales);
    const codes = quantizeBias(bias, steps);
    expect(codes[1]! * steps[1]!).toBeCloseTo(0.37, 6);
  });
});

describe("biases", () => {
  test("whatever weights, bias and input scale: codes stay below 2^30 and sums inside int32", () => {
    expect(MAX_REDUCTION * 255 * 128).toBeLessThanOrEqual(BIAS_LIMIT);
    fc.assert(
      fc.property(
        float,
        float,
        fc.float({ min: fround(1e-20), max: fround(1e20), noNaN: true }),
        (w, b, sx) => {
          const bias = Float32Array.from([b]);
          const scales = weightScales(Float32Array.from([w]), 1, {
            inputScale: sx,
            bias,
          });
          const steps = sumScales(sx, scales);
          const [code] = quantizeBias(bias, steps) as unknown as [number];
          expect(Math.abs(code)).toBeLessThan(BIAS_LIMIT);
          if (Math.abs(code) > 1000)
            expect(Math.abs(code * steps[0]! - b)).toBeLessThanOrEqual(Math.abs(b) * 1e-3);
        },
      ),
    );
  });
});
