// int8 depthwise convolution against the register-only loop of the same instructions, on this engine, in one run.
//   npm run build:wasm && node bench/depthwise-int8.js
// With nine products a sum, more is spent on widening codes and on turning sums into codes than on multiply-adds.

import { alloc, race, scales, up } from "./kernels.js";

/** Channels, side of the image, side of the kernel, stride: layers of VWW, and larger ones. */
const SHAPES = [
  [64, 32, 3, 1],
  [64, 32, 5, 1],
  [64, 32, 5, 2],
  [144, 56, 3, 1],
  [8, 48, 3, 1],
  [16, 48, 3, 2],
  [32, 24, 3, 1],
  [64, 12, 3, 1],
  [128, 6, 3, 1],
  [256, 3, 3, 1],
];

function cases(k8) {
  const scratch = alloc(1 << 16);
  const x = alloc(1 << 19);
  const y = alloc(1 << 19);
  return SHAPES.map(([channels, size, kernel, stride]) => {
    const packed = alloc(up(channels, 8) * kernel * 32);
    const offset = alloc(up(channels, 8) * 4);
    const window = [kernel, kernel, stride, stride, 1, 1];
    k8.packDepthwiseInt8(packed, offset, alloc(channels * kernel ** 2), 0, -128, channels, ...window);
    const out = Math.ceil(size / stride);
    const pad = ((out - 1) * stride + kernel - size) >> 1;
    const sizes = [size, size, channels, out, out, ...window, pad, pad];
    const weights = [packed, offset, scales(channels)];
    return [
      `${kernel}×${kernel}/${stride} ${channels} @${size}²`,
      (out * kernel) ** 2 * channels,
      () => k8.depthwiseInt8(y, x, ...weights, scratch, ...sizes, 128, 128, 0, 255, 0, out),
    ];
  });
}

race(cases);
