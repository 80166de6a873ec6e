// f32 kernels against the register-only loop of the same instructions, on this engine, in one run.
//   npm run build:wasm && node bench/gemm-f32.js

import { alloc, memory, race, up } from "./kernels.js";

/** Numbers of the size that networks have: sums of bytes taken as floats are infinite, or slow for being tiny. */
new Float32Array(memory.buffer).forEach((_, i, all) => {
  all[i] = Math.sin(i);
});

const [NO_BIAS, LOW, HIGH] = [0, 0, 6];

/** Channels in and out, side of the image and of the kernel, stride: layers of ResNet-8 and VWW, and larger ones. */
const CONVS = [
  [64, 64, 32, 3, 1],
  [16, 16, 32, 3, 1],
  [16, 32, 32, 3, 2],
  [3, 16, 32, 3, 1],
  [3, 8, 96, 3, 2],
];

/** Channels, side of the image and of the kernel, stride. */
const DEPTHWISE = [
  [64, 32, 3, 1],
  [8, 48, 3, 1],
  [16, 48, 3, 2],
  [128, 6, 3, 1],
  [64, 32, 5, 1],
];

function cases(f32) {
  const scratch = alloc(1 << 19);
  const x = alloc(1 << 20);
  const y = alloc(1 << 20);
  const w = alloc(2048 * 2048 * 4);
  const image = (size, kernel, stride) => {
    const out = Math.ceil(size / stride);
    const pad = ((out - 1) * stride + kernel - size) >> 1;
    return { out, slide: [kernel, kernel, stride, stride, 1, 1, pad, pad, LOW, HIGH, 0, out] };
  };
  const gemm = (m, n, k) => [
    `gemm ${m}×${n}×${k}`,
    m * n * k,
    () => f32.gemm(y, n, x, k, w, NO_BIAS, scratch, n, k, LOW, HIGH, 0, m),
  ];
  const gemv = (n, k) => [
    `gemv ${n}×${k}`,
    n * k,
    () => f32.gemv(y, x, w, NO_BIAS, n, k, LOW, HIGH, 0, up(n, 8) / 8),
  ];
  return [
    gemm(512, 512, 512),
    gemm(196, 128, 1152),
    gemm(64, 512, 784),
    gemv(2048, 2048),
    gemv(512, 784),
    ...CONVS.map(([cin, cout, size, kernel, stride]) => {
      const { out, slide } = image(size, kernel, stride);
      const sizes = [size, size, cin, out, out, cout, ...slide];
      return [
        `conv ${kernel}×${kernel}/${stride} ${cin}→${cout} @${size}²`,
        (out * kernel) ** 2 * cin * cout,
        () => f32.conv(y, cout, x, cin, w, NO_BIAS, scratch, ...sizes),
      ];
    }),
    ...DEPTHWISE.map(([channels, size, kernel, stride]) => {
      const { out, slide } = image(size, kernel, stride);
      const sizes = [size, size, channels, out, out, ...slide];
      return [
        `depthwise ${kernel}×${kernel}/${stride} ${channels} @${size}²`,
        (out * kernel) ** 2 * channels,
        () => f32.depthwise(y, x, w, NO_BIAS, ...sizes),
      ];
    }),
  ];
}

race(cases, "f32");
