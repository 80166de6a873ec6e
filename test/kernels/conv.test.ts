import { beforeEach, describe, expect, test } from "vitest";
import { convScratchBytes, packedBytes, packedDepthwiseBytes } from "../../assembly/f32/sizes";
import { inPieces, same } from "./float";
import { alloc, brokenGuard, fillFloats, loadCommon, random, reset } from "./harness";
import { window } from "./structs";

const kernels = loadCommon();
beforeEach(reset);

// n, inH, inW, cin, cout, kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft, padBottom, padRight
const SHAPES = [
  [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0],
  [2, 5, 7, 3, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1],
  [1, 9, 8, 4, 17, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1],
  [1, 7, 6, 17, 5, 3, 2, 1, 2, 2, 3, 2, 3, 1, 0],
  [3, 4, 3, 1, 9, 2, 3, 1, 1, 1, 1, 0, 2, 1, 2],
  [1, 12, 13, 5, 16, 5, 5, 3, 2, 1, 1, 2, 2, 2, 2],
  [2, 3, 3, 16, 8, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0],
  [1, 3, 40, 2, 4, 3, 4, 1, 4, 1, 1, 3, 1, 3, 1],
  [1, 20, 20, 100, 9, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1],
  [1, 8, 19, 13, 4, 2, 3, 1, 2, 1, 2, 0, 2, 1, 2],
  [2, 14, 6, 3, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1],
  [1, 1, 2300, 1, 8, 1, 3, 1, 1, 1, 1, 0, 1, 0, 1],
  [1, 30, 9, 256, 8, 3, 1, 1, 1, 1, 1, 1, 0, 1, 0],
] as const;

/** The numbers of a shape as its test's title. */
const CASES = SHAPES.map((shape) => [shape.join(" "), shape] as const);

const outSize = (size: number, k: number, stride: number, dilation: number, pads: number) =>
  Math.floor((size + pads - (k - 1) * dilation - 1) / stride) + 1;

describe("conv", () => {
  test.each(CASES)("%s: bit-equal to scalar f32", (_, s) => {
    const [n, inH, inW, cin, cout, kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft] = s;
    const outH = outSize(inH, kh, strideH, dilationH, padTop + s[13]);
    const outW = outSize(inW, kw, strideW, dilationW, padLeft + s[14]);
    const next = random(inH * inW * cin);
    for (const extra of [0, 2]) {
      reset();
      const ldx = cin + extra;
      const ldy = cout + extra;
      const x = fillFloats(alloc(Float32Array, n * inH * inW * ldx), next, -2, 2);
      const w = fillFloats(alloc(Float32Array, cout * cin * kh * kw), next, -1, 1);
      const bias = fillFloats(alloc(Float32Array, cout), next, -1, 1);
      const y = alloc(Float32Array, n * outH * outW * ldy);
      const k = kh * kw * cin;
      const packed = alloc(Uint8Array, packedBytes(cout, k));
      const scratch = alloc(Uint8Array, convScratchBytes(n * outH, outW, kh, kw * cin));
      kernels.packWeights(packed.byteOffset, w.byteOffset, cout, kh * kw, cin, k, 1, kh * kw);
      const image = { inH, inW, outH, outW, kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft };
      const { at } = window(image, { cin, ldx, cout, ldy });
      const run = (begin: number, end: number) =>
        kernels.conv(
          y.byteOffset,
          x.byteOffset,
          packed.byteOffset,
          bias.byteOffset,
          scratch.byteOffset,
          at,
          -3,
          3,
          begin,
          end,
        );
      inPieces(y, n * outH, next, run);
      expect(brokenGuard()).toBeUndefined();
      for (let p = 0; p < n * outH * outW; p++) {
        const [image, oy, ox] = [Math.floor(p / (outH * outW)), Math.floor(p / outW) % outH, p % outW];
        const expected = Array.from({ length: cout }, (_, o) => {
          let sum = 0;
          for (let ky = 0; ky < kh; ky++)
            for (let kx = 0; kx < kw; kx++) {
              const iy = oy * strideH - padTop + ky * dilationH;
              const ix = ox * strideW - padLeft + kx * dilationW;
              if (iy < 0 || iy >= inH || ix < 0 || ix >= inW) continue;
              for (let c = 0; c < cin; c++) {
                const value = x[((image * inH + iy) * inW + ix) * ldx + c]!;
                sum = Math.fround(sum + Math.fround(value * w[((o * cin + c) * kh + ky) * kw + kx]!));
              }
            }
          return Math.min(Math.max(Math.fround(sum + bias[o]!), -3), 3);
        });
        same(y.subarray(p * ldy, p * ldy + cout), expected);
      }
    }
  });
});

describe("depthwise", () => {
  test.each(CASES)("%s: bit-equal to scalar f32", (_, s) => {
    const [n, inH, inW, channels, , kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft] = s;
    const outH = outSize(inH, kh, strideH, dilationH, padTop + s[13]);
    const outW = outSize(inW, kw, strideW, dilationW, padLeft + s[14]);
    const next = random(inH * inW * channels + 1);
    const x = fillFloats(alloc(Float32Array, n * inH * inW * channels), next, -2, 2);
    const w = fillFloats(alloc(Float32Array, channels * kh * kw), next, -1, 1);
    const biasValues = fillFloats(alloc(Float32Array, channels), next, -1, 1);
    const y = alloc(Float32Array, n * outH * outW * channels);
    const packed = alloc(Uint8Array, packedDepthwiseBytes(channels, kh * kw));
    const image = { inH, inW, outH, outW, kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft };
    const { at } = window(image, channels);
    kernels.packDepthwise(packed.byteOffset, w.byteOffset, channels, kh * kw);
    expect(brokenGuard()).toBeUndefined();
    for (const bias of [biasValues, undefined]) {
      inPieces(y, n * outH, next, (begin, end) =>
        kernels.depthwise(
          y.byteOffset,
          x.byteOffset,
          packed.byteOffset,
          bias?.byteOffset ?? 0,
          at,
          -2,
          2,
          begin,
          end,
        ),
      );
      const expected = Array.from(y, (_, i) => {
        const [p, c] = [Math.floor(i / channels), i % channels];
        const [image, oy, ox] = [Math.floor(p / (outH * outW)), Math.floor(p / outW) % outH, p % outW];
        let sum = 0;
        for (let ky = 0; ky < kh; ky++)
          for (let kx = 0; kx < kw; kx++) {
            const iy = oy * strideH - padTop + ky * dilationH;
            const ix = ox * strideW - padLeft + kx * dilationW;
            if (iy < 0 || iy >= inH || ix < 0 || ix >= inW) continue;
            const value = x[((image * inH + iy) * inW + ix) * channels + c]!;
            sum = Math.fround(sum + Math.fround(value * w[c * kh * kw + ky * kw + kx]!));
          }
        return Math.min(Math.max(bias ? Math.fround(sum + bias[c]!) : sum, -2), 2);
      });
      same(y, expected);
    }
  });
});
