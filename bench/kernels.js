// Kernels beside the register-only loop of their instructions, on this engine, in one run.

import { readFileSync } from "node:fs";

const WARM_MS = 500;
const ROUNDS = 41;
const ROUND_MS = 5;
/** Rounds of the register-only loop in a call. */
const STEPS = 200_000;

const root = new URL("../", import.meta.url);
export const memory = new WebAssembly.Memory({ initial: 1024, maximum: 1024 });

function load(path) {
  const bytes = readFileSync(new URL(path, root));
  if (!WebAssembly.validate(bytes)) return undefined;
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports;
}

/** Every operand is filled: untouched wasm memory reads back unrealistically fast. */
const bytes = new Uint8Array(memory.buffer);
for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 2654435761) >>> 25;
let top = 65536;
export function alloc(size) {
  const at = top;
  top = (top + size + 127) & -64;
  return at;
}

export const up = (n, to) => Math.ceil(n / to) * to;

/** `n` multipliers of sums. */
export function scales(n) {
  const at = alloc(n * 4);
  new Float32Array(memory.buffer, at, n).fill(1e-4);
  return at;
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

/** Modules with kernels of a type, and the ceiling they have. */
const MODULES = {
  int8: { baseline: "baseline", relaxed: "relaxed" },
  f32: { common: "baseline" },
};

/** Prints the speed of `cases(kernels)`, each a name, its multiply-adds and a call, for the modules of this engine. */
export function race(cases, type = "int8") {
  console.log(
    `${process.version}: median of ${ROUNDS} rounds (best), ratio to the registers of the same round (of the bests)`,
  );
  for (const [name, built] of Object.entries(MODULES[type])) {
    const ceiling = load(`build/ceiling/${built}.wasm`)?.[type];
    const kernels = load(`build/wasm/${name}.wasm`);
    if (!kernels) {
      console.log(`${name}: absent here`);
      continue;
    }
    top = 65536;
    const at = alloc(128);
    const registers = ["registers only", STEPS * ceiling(at, 1), () => ceiling(at, STEPS)];
    const all = [registers, ...cases(kernels)];
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
}
