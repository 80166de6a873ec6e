// How fast linear layers of a language model run on one packing: one row, against reading as many bytes alone, and 64 rows,
// against the GEMM that splits rows. A model of 12 layers, hidden size 768, 2048 between and a vocabulary of 8192.
//   npm run build:wasm && node bench/decode.js [--seconds 2]

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { formatTable } from "../build/terminal.js";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "2" } } });
const LAYER = [...Array(4).fill([768, 768]), [2048, 768], [2048, 768], [768, 2048]];
const MODEL = [...Array(12).fill(LAYER).flat(), [8192, 768]];
const ROWS = 64;
const WARM_UP_MS = 400;
/** Bytes that fill weights and codes. */
const hash = (i) => Math.imul(i + 1, 2654435761) >>> 24;

const memory = new WebAssembly.Memory({ initial: 5000, maximum: 5000 });
const bytes = new Uint8Array(memory.buffer);
const load = (file) => {
  const code = readFileSync(new URL(`../build/${file}.wasm`, import.meta.url));
  return new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory, signs: 0 } }).exports;
};

let top = 65536;
/** Room for so many bytes, written to: memory that never was reads back too fast. */
function room(size) {
  const at = top;
  top += Math.ceil(size / 64) * 64 + 64;
  bytes.fill(1, at, top);
  return at;
}

/** Median milliseconds of each of several works, which take turns. */
function times(works) {
  const all = works.map(() => []);
  const start = performance.now();
  for (let round = 0; performance.now() - start < WARM_UP_MS + 1000 * Number(values.seconds); round++)
    for (let i = 0; i < works.length; i++) {
      const j = (i + round) % works.length;
      const from = performance.now();
      works[j]();
      if (from - start > WARM_UP_MS) all[j].push(performance.now() - from);
    }
  return all.map((list) => list.sort((a, b) => a - b)[list.length >> 1]);
}

const x = room(ROWS * 2048 + 64);
for (let i = 0; i < ROWS * 2048; i++) bytes[x + i] = hash(i);
const y = room(ROWS * 8192 * 4);
const [xScale, xZero, scale, sums] = [256, 256, 8192 * 4, 8192 * 4].map(room);
const scratch = room(4 << 20);
const epilogue = room(64);
new Float32Array(memory.buffer, epilogue, 12).set([3, 0, -Infinity, Infinity, 0, 0, 0, 0, 0, 0, 0, 1]);
new Float32Array(memory.buffer, scale, 8192).fill(0.01);
new Float32Array(memory.buffer, xScale, 64).fill(0.01);
const staged = room(8192 * 2048);
for (let i = 0; i < 8192 * 2048; i++) bytes[staged + i] = hash(i) === 128 ? 1 : hash(i);
const begin = top;

function measure(engineClass) {
  const kernels = { ...load(`wasm/${engineClass}`), ...load(`wasm/language-${engineClass}`) };
  const { stream } = load(`ceiling/${engineClass}`);
  top = begin;
  const pack = (n, k, beside) => {
    const w = room(n * k);
    kernels.packWeightsInt8(w, sums, staged, 0, 1, n, 1, 1, k, k, 0, 0, 1, beside);
    if (beside > 1) kernels.packRowWeightsInt8(w, n, k);
    return w;
  };
  const first = top;
  const packed = MODEL.map(([n, k]) => pack(n, k, 4));
  const total = top - first;
  const rowPacked = LAYER.map(([n, k]) => pack(n, k, 1));
  const tail = [sums, scale, 0, xScale, xZero, scratch];
  const columns =
    (rows) =>
    (w, [n, k]) =>
      kernels.linearInt8(y, n, x, k, w, ...tail, rows, n, k, epilogue, 0, n / 32);
  const rows = (w, [n, k]) => kernels.gemmInt8(y, n, x, k, w, ...tail, n, k, epilogue, 0, ROWS);
  const walk = (layers, weights, run) => () => weights.forEach((w, i) => void run(w, layers[i]));
  const [alone, decode, prefill, gemm] = times([
    () => stream(first, total),
    walk(MODEL, packed, columns(1)),
    walk(LAYER, packed.slice(0, LAYER.length), columns(ROWS)),
    walk(LAYER, rowPacked, rows),
  ]);
  const macs = LAYER.reduce((sum, [n, k]) => sum + n * k * ROWS, 0);
  const rate = (amount, ms) => (amount / ms / 1e6).toFixed(1);
  return [
    engineClass,
    rate(total, alone),
    rate(total, decode),
    (alone / decode).toFixed(2),
    rate(macs, gemm),
    rate(macs, prefill),
    (gemm / prefill).toFixed(2),
  ];
}

const rows = ["baseline", "extmul", "relaxed"].flatMap((engineClass) => {
  try {
    return [measure(engineClass)];
  } catch (error) {
    console.error(`${engineClass}: ${error.message}`);
    return [];
  }
});
console.log(`Node ${process.versions.node}, ${process.arch}`);
const head = ["class", "GB/s read", "decode GB/s", "ratio", "GEMM GMAC/s", "64 rows GMAC/s", "ratio"];
console.log(formatTable(head, rows, { align: "lrrrrrr" }));
