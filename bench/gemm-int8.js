// int8 kernels against the register-only loop of the same instructions, on this engine, in one run.
//   npm run build:wasm && node bench/gemm-int8.js

import { alloc, race, scales, up } from "./kernels.js";

/** Weights of n columns and `rows` kernel rows of k codes each, packed. */
function weights(k8, n, k, rows = 1) {
  const w = alloc(n * rows * k);
  const panels = alloc(up(n, 8) * rows * up(k, 4));
  const offset = alloc(up(n, 8) * 4);
  k8.packWeightsInt8(panels, offset, w, 0, 0, n, rows, 1, k, rows * k, k, 0, 1);
  return [panels, offset, scales(n)];
}

/** Name, multiply-adds and a call, for each shape. */
function cases(k8) {
  const scratch = alloc(1 << 20);
  const x = alloc(1 << 20);
  const y = alloc(1 << 20);
  const square = weights(k8, 512, 512);
  const wide = weights(k8, 2048, 2048);
  k8.packRowWeightsInt8(wide[0], 2048, 2048);
  const conv3 = weights(k8, 64, 192, 3);
  const conv16 = weights(k8, 16, 48, 3);
  const first = weights(k8, 16, 9, 3);
  const conv1 = weights(k8, 128, 1152);
  const image = [1, 1, 1, 1, 1, 1, 0, 128, 0, 255, 0, 32];
  return [
    [
      "gemm 512×512×512",
      512 ** 3,
      () => k8.gemmInt8(y, 512, x, 512, ...square, scratch, 512, 512, 128, 0, 255, 0, 512),
    ],
    ["gemv 2048×2048", 2048 ** 2, () => k8.gemvInt8(y, x, ...wide, scratch, 2048, 2048, 128, 0, 255, 0, 256)],
    [
      "conv 3×3 64→64 @32²",
      1024 * 64 * 576,
      () => k8.convInt8(y, 64, x, 64, ...conv3, scratch, 32, 32, 64, 32, 32, 64, 3, 3, ...image),
    ],
    [
      "conv 1×1 1152→128 @14²",
      196 * 128 * 1152,
      () => k8.gemmInt8(y, 128, x, 1152, ...conv1, scratch, 128, 1152, 128, 0, 255, 0, 196),
    ],
    [
      "conv 3×3 16→16 @32²",
      1024 * 16 * 144,
      () => k8.convInt8(y, 16, x, 16, ...conv16, scratch, 32, 32, 16, 32, 32, 16, 3, 3, ...image),
    ],
    [
      "conv 3×3 3→16 @32²",
      1024 * 16 * 27,
      () => k8.convInt8(y, 16, x, 3, ...first, scratch, 32, 32, 3, 32, 32, 16, 3, 3, ...image),
    ],
  ];
}

race(cases);
