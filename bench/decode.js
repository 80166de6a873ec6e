// How fast linear layers of a language model run, of 8 bits, of 4, and in blocks with float scales, each on one packing: one row, against
// reading as many bytes alone, and 64 rows, against the int8 GEMM that splits rows. A model of 12 layers, hidden size 768, 2048 between
// and a vocabulary of 8192. With --model, where the time of a token goes in a quantized model: kernel by kernel, what the host takes beside
// them, and what reading its weights and its cache alone takes in the same rounds.
//   npm run build && node bench/decode.js [--seconds 2]
//   node bench/decode.js --model M.octette [--seconds 2] [--contexts 100,1900] [--class baseline]

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { formatTable } from "../build/terminal.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "2" },
    model: { type: "string" },
    contexts: { type: "string", default: "100,1900" },
    class: { type: "string" },
  },
});
/** Most bytes that reading alone is timed on: several times what caches hold. */
const MOST_READ = 256e6;
if (values.model !== undefined) {
  await profileModel(values.model);
  process.exit();
}

/**
 * Kernels of a token, timed step by step, in turns with whole runs, by how many tokens are in the cache; and what a run takes beside them.
 * Of both the round that a tenth of the rounds stay below, which other processes disturb least. Warm-up is left out: the host's code is
 * slow until it is optimized.
 */
async function profileModel(path) {
  const { loadLanguageModel } = await import("../build/text.js");
  const contexts = values.contexts.split(",").map(Number);
  const options = { maxTokens: Math.max(...contexts) + 1 };
  const language = await loadLanguageModel(path, {
    ...options,
    ...(values.class && { engineClass: values.class }),
  });
  const { model } = language.decoder;
  const feeds = { ids: Int32Array.of(1) };
  const into = { logits: new Float32Array(language.vocabulary) };
  const tenth = (list, of) => list.sort((a, b) => of(a) - of(b))[Math.floor(list.length / 10)];
  const sum = (steps) => steps.reduce((all, { milliseconds }) => all + milliseconds, 0);
  console.log(`Node ${process.versions.node}, ${process.arch}, ${language.engine.engineClass}`);
  const warm = { position: contexts[0], rows: 1 };
  for (const start = performance.now(); performance.now() - start < 1000; ) {
    model.profile(feeds, 1, warm);
    model.runSync(feeds, into, { ...warm, position: warm.position - 1 });
    model.runSync(feeds, into, warm);
  }
  const { weights, cachePerToken } = language.memory;
  const read = readerOf(weights);
  for (const position of contexts) {
    const reads = [];
    const rounds = [];
    const runs = [];
    const begin = performance.now();
    while (runs.length < 10 || performance.now() - begin < 1000 * Number(values.seconds)) {
      rounds.push(model.profile(feeds, 1, { position, rows: 1 }));
      // A run at another position first, as a text has them: arguments are evaluated anew.
      model.runSync(feeds, into, { position: position - 1, rows: 1 });
      const start = performance.now();
      model.runSync(feeds, into, { position, rows: 1 });
      runs.push(performance.now() - start);
      reads.push(read());
    }
    const kernels = new Map();
    const steps = tenth(rounds, sum);
    for (const { kernel, milliseconds } of steps) {
      const { count = 0, ms = 0 } = kernels.get(kernel) ?? {};
      kernels.set(kernel, { count: count + 1, ms: ms + milliseconds });
    }
    const run = tenth(runs, (ms) => ms);
    const all = sum(steps);
    const row = (name, count, ms) => [name, `${count}`, ms.toFixed(3), `${((100 * ms) / run).toFixed(1)} %`];
    const rows = [...kernels]
      .sort(([, a], [, b]) => b.ms - a.ms)
      .map(([name, { count, ms }]) => row(name, count, ms));
    rows.push(row("kernels", steps.length, all), row("host", "", run - all), row("a token", "", run));
    const alone = tenth(reads, (ms) => ms) * (1 + (position * cachePerToken) / weights);
    rows.push(row("reading as much alone", "", alone));
    console.log(formatTable([`${position} tokens`, "steps", "ms", "share"], rows, { align: "lrrr" }));
  }
  language.dispose();
}

/** Reads as many bytes as weights have, and gives the milliseconds: those of a part that memory holds, where they are more. */
function readerOf(weights) {
  const own = Math.min(weights, MOST_READ);
  const pages = Math.ceil(own / 65536) + 1;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  // Memory that was never written reads back too fast.
  new Uint8Array(memory.buffer).fill(1);
  const code = readFileSync(new URL("../build/ceiling/baseline.wasm", import.meta.url));
  const { stream } = new WebAssembly.Instance(new WebAssembly.Module(code), {
    env: { memory, signs: 0 },
  }).exports;
  return () => {
    const start = performance.now();
    stream(0, Math.floor(own / 64) * 64);
    return ((performance.now() - start) * weights) / own;
  };
}

const LAYER = [...Array(4).fill([768, 768]), [2048, 768], [2048, 768], [768, 2048]];
const MODEL = [...Array(12).fill(LAYER).flat(), [8192, 768]];
const ROWS = 64;
const WARM_UP_MS = 400;
/** Bytes that fill weights and codes. */
const hash = (i) => Math.imul(i + 1, 2654435761) >>> 24;

const memory = new WebAssembly.Memory({ initial: 7000, maximum: 7000 });
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

/**
 * Milliseconds of each of several works, which take turns: the fewest of each of their parts, added. So a machine that others use as well
 * tells the same as one that nobody else does.
 */
function times(works) {
  const all = works.map((parts) => parts.map(() => Infinity));
  const start = performance.now();
  for (let round = 0; performance.now() - start < WARM_UP_MS + 1000 * Number(values.seconds); round++)
    for (let i = 0; i < works.length; i++) {
      const j = (i + round) % works.length;
      for (const [part, run] of works[j].entries()) {
        const from = performance.now();
        run();
        if (from - start > WARM_UP_MS) all[j][part] = Math.min(all[j][part], performance.now() - from);
      }
    }
  return all.map((parts) => parts.reduce((sum, ms) => sum + ms, 0));
}

const x = room(ROWS * 2048 + 64);
for (let i = 0; i < ROWS * 2048; i++) bytes[x + i] = hash(i);
const y = room(ROWS * 8192 * 4);
const [xScale, xZero, scale, sums] = [256, 256, 8192 * 4, 8192 * 4].map(room);
const [scratch, own] = [room(4 << 20), room(1 << 20)];
const epilogue = room(64);
new Float32Array(memory.buffer, epilogue, 12).set([3, 0, -Infinity, Infinity, 0, 0, 0, 0, 0, 0, 0, 1]);
new Float32Array(memory.buffer, scale, 8192).fill(0.01);
new Float32Array(memory.buffer, xScale, 64).fill(0.01);
const staged = room(8192 * 2048);
for (let i = 0; i < 8192 * 2048; i++) bytes[staged + i] = hash(i) === 128 ? 1 : hash(i);
const nibbles = room(8192 * 2048);
for (let i = 0; i < 8192 * 2048; i++) bytes[nibbles + i] = (hash(i) & 15) - 8;
const scales = room((8192 * 2048 * 4) / 32);
new Float32Array(memory.buffer, scales, (8192 * 2048) / 32).fill(0.01);
const begin = top;

function measure(engineClass) {
  const kernels = {
    ...load(`wasm/${engineClass}`),
    ...load(`wasm/language${engineClass[0].toUpperCase()}${engineClass.slice(1)}`),
  };
  const { stream } = load(`ceiling/${engineClass}`);
  top = begin;
  const pack = (n, k, beside) => {
    const w = room(n * k);
    kernels.packWeightsInt8(w, sums, staged, 0, 1, n, 1, 1, k, k, 0, 0, 1, beside);
    if (beside > 1) kernels.packRowWeightsInt8(w, n, k);
    return w;
  };
  const pack4 = (n, k) => {
    const w = room((n * k * 17) / 32);
    kernels.packInt4(w, sums, nibbles, staged, 0, n, k, 32, n);
    return w;
  };
  const packBlocks = (n, k) => {
    const w = room((n * k * 19) / 16);
    kernels.packBlocks(w, staged, scales, 0, n, k, 32);
    return w;
  };
  const tail = [sums, scale, 0, xScale, xZero, scratch];
  const columns =
    (rows) =>
    (w, [n, k]) => {
      kernels.packRowsInt8(own, x, k, rows, k, 0, rows);
      kernels.linearInt8(y, n, own, w, ...tail, rows, n, k, epilogue, 0, n / 32);
    };
  const groups =
    (rows) =>
    (w, [n, k]) => {
      kernels.packRowsInt4(own, x, k, rows, k, 0, rows);
      kernels.linearInt4(y, n, own, w, ...tail, rows, n, k, 0, epilogue, 0, n / 16);
    };
  const blocks =
    (rows) =>
    (w, [n, k]) =>
      kernels.linearBlocks(y, n, x, k, w, 0, xScale, xZero, scratch, rows, n, k, 32, 0, epilogue, 0, n / 16);
  const rows = (w, [n, k]) => kernels.gemmInt8(y, n, x, k, w, ...tail, n, k, epilogue, 0, ROWS);
  const walk = (layers, weights, run) => weights.map((w, i) => () => run(w, layers[i]));
  const some = LAYER.length;
  const packed = MODEL.map(([n, k]) => pack(n, k, 4));
  const packed4 = MODEL.map(([n, k]) => pack4(n, k));
  const packedBlocks = MODEL.map(([n, k]) => packBlocks(n, k));
  const rowPacked = LAYER.map(([n, k]) => pack(n, k, 1));
  const total = MODEL.reduce((sum, [n, k]) => sum + n * k, 0);
  const [alone, decode, decode4, decodeBlocks, prefill, prefill4, prefillBlocks, gemm] = times([
    walk(MODEL, packed, (w, [n, k]) => stream(w, n * k)),
    walk(MODEL, packed, columns(1)),
    walk(MODEL, packed4, groups(1)),
    walk(MODEL, packedBlocks, blocks(1)),
    walk(LAYER, packed.slice(0, some), columns(ROWS)),
    walk(LAYER, packed4.slice(0, some), groups(ROWS)),
    walk(LAYER, packedBlocks.slice(0, some), blocks(ROWS)),
    walk(LAYER, rowPacked, rows),
  ]);
  const macs = LAYER.reduce((sum, [n, k]) => sum + n * k * ROWS, 0);
  const rate = (amount, ms) => (amount / ms / 1e6).toFixed(1);
  const ratio = (a, b) => (a / b).toFixed(2);
  return [
    [`${engineClass}, read alone`, `${rate(total, alone)} GB/s`, "", "", ""],
    [`${engineClass}, GEMM by rows`, "", "", rate(macs, gemm), ""],
    [
      `${engineClass}, 8 bits`,
      rate(total, decode),
      ratio(alone, decode),
      rate(macs, prefill),
      ratio(gemm, prefill),
    ],
    [
      `${engineClass}, 4 bits`,
      rate(total, decode4),
      ratio(decode, decode4),
      rate(macs, prefill4),
      ratio(prefill, prefill4),
    ],
    [
      `${engineClass}, blocks`,
      rate(total, decodeBlocks),
      ratio(decode, decodeBlocks),
      rate(macs, prefillBlocks),
      ratio(prefill, prefillBlocks),
    ],
  ];
}

const rows = ["baseline", "extmul", "relaxed"].flatMap((engineClass) => {
  try {
    return measure(engineClass);
  } catch (error) {
    console.error(`${engineClass}: ${error.message}`);
    return [];
  }
});
console.log(`Node ${process.versions.node}, ${process.arch}`);
console.log(
  "One row and 64 rows in GMAC/s; 8 bits against reading and the GEMM by rows, the others against 8 bits.",
);
console.log(formatTable(["", "one row", "ratio", `${ROWS} rows`, "ratio"], rows, { align: "lrrrr" }));
