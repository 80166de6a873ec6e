// What attention over a cache costs a decoded token, by how many tokens are in the cache, against reading as many bytes alone; and
// how fast a chunk of 64 tokens attends. 12 layers of 12 heads of 64 elements; --groups says how many heads keys and values have.
//   npm run build:wasm && node bench/attention.js [--seconds 2] [--groups 12]

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { formatTable } from "../build/terminal.js";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "2" }, groups: { type: "string", default: "12" } },
});
const [LAYERS, HEADS, SIZE, LENGTH, CHUNK] = [12, 12, 64, 2048, 64];
const [GROUPS, seconds] = [Number(values.groups), Number(values.seconds)];
const CONTEXTS = [100, 500, 1000, 1900];
const WARM_UP_MS = 400;
/** Bytes that fill codes and floats. */
const hash = (i) => Math.imul(i + 1, 2654435761) >>> 24;

const memory = new WebAssembly.Memory({ initial: 6000, maximum: 6000 });
const bytes = new Uint8Array(memory.buffer);
const floats = new Float32Array(memory.buffer);
const load = (file) => {
  const code = readFileSync(new URL(`../build/${file}.wasm`, import.meta.url));
  return new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory, signs: 0 } }).exports;
};
const { attention, cacheKeys, cacheRows, cacheValues } = load("wasm/language");
const { stream } = load("ceiling/baseline");
const CLASSES = ["baseline", "extmul", "relaxed"];

let top = 65536;
/** Room for so many bytes, or floats of a scale, written to: memory that never was reads back too fast. */
function room(size, scale) {
  const at = top;
  top += Math.ceil(size / 64) * 64 + 64;
  if (scale === undefined) for (let i = at; i < top; i++) bytes[i] = hash(i) === 128 ? 1 : hash(i);
  else floats.subarray(at / 4, top / 4).forEach((_, i, own) => void (own[i] = (hash(i) - 127.5) * scale));
  return at;
}

/** Milliseconds that a tenth of the runs of each work stays below, so that other processes count little. */
function times(works) {
  return works.map((work) => {
    const list = [];
    for (const start = performance.now(); performance.now() - start < WARM_UP_MS + 1000 * seconds; ) {
      const from = performance.now();
      work();
      if (from - start > WARM_UP_MS) list.push(performance.now() - from);
    }
    return list.sort((a, b) => a - b)[Math.floor(list.length / 10)];
  });
}

const [q, y] = [room(CHUNK * HEADS * SIZE * 4, 0.01), room(CHUNK * HEADS * SIZE * 4, 0.01)];
const x = room(CHUNK * GROUPS * SIZE * 4, 0.01);
const scratch = room(8 << 20, 0.01);
/** A Heads (assembly/language/attention-sizes.ts): flat, over all tokens up to one's own. */
const form = room(40);
new Int32Array(memory.buffer, form, 10).set([HEADS, GROUPS, SIZE, SIZE, -1, 0, 1, 1, 0, 0]);
const begin = top;
const scale = 1 / Math.sqrt(SIZE);

/** A cache of codes, of a class's own kernels: nothing where the engine has no such class. */
function coded(engineClass) {
  let kernels;
  try {
    kernels = load(`wasm/language${engineClass[0].toUpperCase()}${engineClass.slice(1)}`);
  } catch {
    return {};
  }
  const run = ([[k, ks], [v, vs]], position, tokens) => {
    const count = tokens * GROUPS;
    cacheKeys(k, ks, x, GROUPS, SIZE, position, LENGTH, 0, count);
    cacheValues(v, vs, x, GROUPS, SIZE, position, LENGTH, 0, count);
    const places = [y, q, k, ks, v, vs, 0, form, scratch];
    kernels.attentionInt8(...places, tokens, LENGTH, 0, position, scale, 0, 0, tokens * HEADS);
  };
  const layer = () =>
    [LENGTH * GROUPS * SIZE, LENGTH * GROUPS * SIZE].map((n) => [room(n), room(LENGTH * GROUPS * 4, 1e-4)]);
  return { [`int8, ${engineClass}`]: { bytes: SIZE + 4, layer, run } };
}

/** Runs a layer for so many tokens behind `position`. */
const kinds = {
  ...Object.assign({}, ...CLASSES.map(coded)),
  f32: {
    bytes: 4 * SIZE,
    layer: () => [0, 1].map(() => room(LENGTH * GROUPS * SIZE * 4, 0.01)),
    run([k, v], position, tokens) {
      for (const state of [k, v]) cacheRows(state, x, 4 * GROUPS * SIZE, position, LENGTH, 0, tokens);
      attention(
        ...[y, 0, q, k, v, 0, 0, form, scratch, tokens, LENGTH, position + tokens],
        ...[0, 0, 0, 0, position, scale, 0, 0, tokens * HEADS],
      );
    },
  },
};

/** Each run is of the next layer, as a model's are: times are those of all. */
function measure([kind, { bytes: each, layer, run }]) {
  top = begin;
  const layers = Array.from({ length: LAYERS }, layer);
  const share = 2 * GROUPS * each * 1900;
  let next = 0;
  const alone = () => stream(begin + (next++ % LAYERS) * share, share & ~63);
  const of = (position, tokens) => () => run(layers[next++ % LAYERS], position, tokens);
  const all = times([
    alone,
    ...CONTEXTS.map((n) => of(n, 1)),
    ...CONTEXTS.map((n) => of(n - CHUNK, CHUNK)),
  ]).map((ms) => ms * LAYERS);
  const [reading, ...ours] = all;
  const [decode, prefill] = [ours.slice(0, CONTEXTS.length), ours.slice(CONTEXTS.length)];
  const macs = (n) => LAYERS * CHUNK * HEADS * (n - CHUNK / 2) * 2 * SIZE;
  const times1800 = (decode.at(-1) - decode[0]) / (reading * (1800 / 1900));
  return [
    [kind, "one token, ms", ...decode.map((ms) => ms.toFixed(2))],
    ["", "1900 − 100, ÷ reading 1800", "", "", "", times1800.toFixed(2)],
    ["", "64 tokens, ms", ...prefill.map((ms) => ms.toFixed(2))],
    ["", "64 tokens, GMAC/s", ...prefill.map((ms, i) => (macs(CONTEXTS[i]) / ms / 1e6).toFixed(1))],
    ["", "reading 1900, GB/s", "", "", "", ((LAYERS * share) / reading / 1e6).toFixed(1)],
  ];
}

console.log(`Node ${process.versions.node}, ${process.arch}`);
const rows = Object.entries(kinds).flatMap(measure);
console.log(formatTable(["cache", "tokens in it", ...CONTEXTS.map(String)], rows, { align: "llrrrr" }));
