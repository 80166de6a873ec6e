// int8 kernels against the register-only loop of the same instructions, on this engine, in one run.
//   npm run build:wasm && node bench/gemm-int8.js

import { readFileSync } from "node:fs";

const WARM_MS = 500;
const ROUNDS = 41;
const ROUND_MS = 5;

const root = new URL("../", import.meta.url);
const memory = new WebAssembly.Memory({ initial: 1024 });

function load(path) {
  const bytes = readFileSync(new URL(path, root));
  if (!WebAssembly.validate(bytes)) return undefined;
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports;
}

/** Every operand is filled: untouched wasm memory reads back unrealistically fast. */
const bytes = new Uint8Array(memory.buffer);
for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 2654435761) >>> 25;
let top = 65536;
function alloc(size) {
  const at = top;
  top = (top + size + 127) & -64;
  return at;
}

const up = (n, to) => Math.ceil(n / to) * to;

/** Weights of n columns and `rows` kernel rows of k codes each, packed. */
function weights(k8, n, k, rows = 1) {
  const w = alloc(n * rows * k);
  const panels = alloc(up(n, 8) * rows * up(k, 4));
  const offset = alloc(up(n, 8) * 4);
  const scale = alloc(n * 4);
  new Float32Array(memory.buffer, scale, n).fill(1e-4);
  k8.packWeightsInt8(panels, offset, w, 0, 0, n, rows, 1, k, rows * k, k, 0, 1);
  return [panels, offset, scale];
}

/** Name, multiply-adds and a call, for each shape. */
function cases(k8, ceiling) {
  top = 65536;
  const scratch = alloc(1 << 20);
  const x = alloc(1 << 20);
  const y = alloc(1 << 20);
  const at = alloc(128);
  const steps = 200_000;
  const square = weights(k8, 512, 512);
  const wide = weights(k8, 2048, 2048);
  k8.packRowWeightsInt8(wide[0], 2048, 2048);
  const conv3 = weights(k8, 64, 192, 3);
  const conv16 = weights(k8, 16, 48, 3);
  const first = weights(k8, 16, 9, 3);
  const conv1 = weights(k8, 128, 1152);
  const depthwise = [alloc(64 * 20), alloc(64 * 4), conv3[2]];
  k8.packDepthwiseInt8(depthwise[0], depthwise[1], alloc(576), 0, 0, 64, 9);
  const image = [1, 1, 1, 1, 1, 1, 0, 128, 0, 255, 0, 32];
  return [
    ["registers only", steps * ceiling(at, 1), () => ceiling(at, steps)],
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
    [
      "depthwise 3×3 64 @32²",
      1024 * 64 * 9,
      () => k8.depthwiseInt8(y, x, ...depthwise, scratch, 32, 32, 64, 32, 32, 3, 3, ...image),
    ],
  ];
}

/** Milliseconds of this process's CPU time per call: a busy machine disturbs it less than the clock. */
function spend(ms, run) {
  const start = process.cpuUsage();
  for (let calls = 1; ; calls++) {
    run();
    const { user, system } = process.cpuUsage(start);
    if (user + system >= ms * 1e3) return (user + system) / 1e3 / calls;
  }
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

console.log(
  `${process.version}: median of ${ROUNDS} rounds (best), ratio to the registers of the same round (of the bests)`,
);
for (const name of ["baseline", "relaxed"]) {
  const ceiling = load(`build/ceiling/${name}.wasm`)?.int8;
  const k8 = load(`build/wasm/${name}.wasm`);
  if (!k8) {
    console.log(`${name}: absent here`);
    continue;
  }
  const all = cases(k8, ceiling);
  const rates = all.map(() => []);
  for (const [, , run] of all) spend(WARM_MS, run);
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, [, macs, run]] of all.entries()) rates[i].push(macs / spend(ROUND_MS, run) / 1e6);
  for (const [i, [what, macs]] of all.entries()) {
    const [rate, best] = [median(rates[i]), Math.max(...rates[i])];
    const us = (macs / rate / 1e3).toFixed(0).padStart(6);
    const ratio = median(rates[i].map((r, round) => r / rates[0][round])).toFixed(2);
    const ofBest = (best / Math.max(...rates[0])).toFixed(2);
    const speed = `${rate.toFixed(1).padStart(6)} GMAC/s (${best.toFixed(1)})`;
    console.log(`${name.padEnd(9)}${what.padEnd(24)}${us} µs${speed.padEnd(22)}${ratio} (${ofBest})`);
  }
}
