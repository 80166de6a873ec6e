// Windows over channels-last images: what the kernels of poolings and of their gradients are checked with.

import { slideOf } from "../../src/ops/window";

// n, inH, inW, channels, kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft, padBottom, padRight
export const POOL_SHAPES = [
  [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0],
  [2, 5, 7, 3, 2, 2, 2, 2, 1, 1, 0, 0, 0, 0],
  [1, 6, 6, 17, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1],
  [3, 7, 5, 4, 3, 2, 1, 1, 2, 3, 2, 1, 2, 2],
  [2, 8, 8, 64, 8, 8, 1, 1, 1, 1, 0, 0, 0, 0],
  [1, 20, 30, 5, 20, 30, 1, 1, 1, 1, 0, 0, 0, 0],
  [1, 4, 9, 33, 1, 5, 1, 3, 1, 1, 0, 2, 0, 2],
] as const;

export type PoolShape = (typeof POOL_SHAPES)[number];

/** Output sizes and, for each output element, the positions in x of the taps inside the image, ascending. */
export function windowsOf([
  n,
  inH,
  inW,
  channels,
  kh,
  kw,
  sH,
  sW,
  dH,
  dW,
  padTop,
  padLeft,
  padBottom,
  padRight,
]: PoolShape) {
  const outH = Math.floor((inH + padTop + padBottom - (kh - 1) * dH - 1) / sH) + 1;
  const outW = Math.floor((inW + padLeft + padRight - (kw - 1) * dW - 1) / sW) + 1;
  const taps = Array.from({ length: n * outH * outW * channels }, (_, i) => {
    const [p, c] = [Math.floor(i / channels), i % channels];
    const [image, oy, ox] = [Math.floor(p / (outH * outW)), Math.floor(p / outW) % outH, p % outW];
    const inside: number[] = [];
    for (let ky = 0; ky < kh; ky++)
      for (let kx = 0; kx < kw; kx++) {
        const [iy, ix] = [oy * sH - padTop + ky * dH, ox * sW - padLeft + kx * dW];
        if (iy < 0 || iy >= inH || ix < 0 || ix >= inW) continue;
        inside.push(((image * inH + iy) * inW + ix) * channels + c);
      }
    return inside;
  });
  const steps = { strideH: sH, strideW: sW, dilationH: dH, dilationW: dW, padTop, padLeft };
  const slide = slideOf({ inH, inW, outH, outW, kh, kw, ...steps }, channels);
  const cover = { coverH: inH + padBottom, coverW: inW + padRight };
  return { images: n, rows: n * outH, taps, slide, cover, area: kh * kw, length: n * inH * inW * channels };
}
