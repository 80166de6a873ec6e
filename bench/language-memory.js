// Memory that a language model takes: the peak of a process that loads it, fills its cache and generates; what stays of models that were
// disposed of; and whether it grows as sessions come and go. Each line is a process of its own, compared with an empty one. Fails
// where a bound is passed.
//
//   npm run build && npm run bench:language [-- MODEL.octette] [--tokens 1024] [--loads 100] [--sessions 5]
//       [--shape qwen3-0.6b] [--bits 4] [--keep MODEL.octette]
//
// Without a model it makes one of random weights: 98 million of 8 bits, or those of another shape (bench/language-model.js); with 4 bits its
// codes are those of a GGUF file. `--keep` says where, for bench/decode.js to time.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { languageShapes, writeLanguageFolder, writeLanguageGguf } from "./language-model.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    tokens: { type: "string", default: "1024" },
    loads: { type: "string", default: "100" },
    sessions: { type: "string", default: "5" },
    shape: { type: "string", default: "98m" },
    bits: { type: "string", default: "8" },
    keep: { type: "string" },
    role: { type: "string" },
  },
});

const MB = 1e6;
/** What a process may take beside weights and cache, above an empty one; with 4 bits weights are staged twice as large as they are. */
const BESIDE = { 8: 40 * MB, 4: 60 * MB }[values.bits];
/** What the second half of levels may lie above the first. */
const GROWTH = 4 * MB;
/** After so many loads it is looked at what is left of them. */
const EVERY = 5;
/** Milliseconds in which an engine gives back memory that it has collected, on a thread of its own. */
const SETTLING = 1000;

const maxTokens = Number(values.tokens);
const { rss } = process.memoryUsage;

const load = async (path) => (await import("../build/text.js")).loadLanguageModel(path, { maxTokens });

/** Fills a session with random tokens and generates what is left of `tokens`; returns their number. */
async function fill(session, vocabulary, tokens) {
  const prompt = Int32Array.from({ length: tokens >> 1 }, (_, i) => (i * 7919) % vocabulary);
  let count = prompt.length;
  const options = { maxTokens: tokens - prompt.length, stopTokens: [], temperature: 1 };
  for await (const _ of session.generate(prompt, options)) count++;
  return count;
}

/** What a process of its own does; each says what it found in one line of JSON. */
const roles = {
  empty: () => ({}),
  async run(path) {
    const model = await load(path);
    await fill(model.session(), model.vocabulary, maxTokens);
    return model.memory;
  },
  async loads(path) {
    const levels = [];
    for (let i = 1; i <= Number(values.loads); i++) {
      const model = await load(path);
      await fill(model.session(), model.vocabulary, 16);
      model.dispose();
      if (i % EVERY > 0) continue;
      for (let turn = 0; turn < 2; turn++) {
        globalThis.gc();
        await setTimeout(SETTLING);
      }
      levels.push(rss());
    }
    return { levels };
  },
  async sessions(path) {
    const model = await load(path);
    const levels = [];
    let tokens = 0;
    for (let i = 0; i < Number(values.sessions); i++) {
      const session = model.session();
      tokens += await fill(session, model.vocabulary, maxTokens);
      session.dispose();
      levels.push(rss());
    }
    return { levels, tokens };
  },
  async make(path) {
    const { quantizeLanguageModel } = await import("../build/quantize-language.js");
    const shape = languageShapes[values.shape];
    const source = values.bits === "4" ? `${path}.gguf` : `${path}.float`;
    if (values.bits === "4") writeLanguageGguf(source, shape);
    else writeLanguageFolder(source, shape);
    await quantizeLanguageModel(source, {
      output: path,
      calibration: Array.from({ length: 32 }, (_, i) => i),
    });
    rmSync(source, { recursive: true });
    return {};
  },
};

if (values.role) {
  const found = await roles[values.role](positionals[0]);
  console.log(JSON.stringify({ ...found, peak: process.resourceUsage().maxRSS * 1024 }));
  process.exit();
}

/** Runs a role in a process of its own. */
function child(role, path = "", flags = []) {
  const more = Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
  const args = [...flags, fileURLToPath(import.meta.url), "--role", role, ...more, path];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const megabytes = (bytes) => `${(bytes / MB).toFixed(1)} MB`;

function tell(what, got, most) {
  const isWithin = got <= most;
  if (!isWithin) process.exitCode = 1;
  console.log(`${what}: ${megabytes(got)}, bound ${megabytes(most)}${isWithin ? "" : ": TOO MUCH"}`);
}

/**
 * How far the later levels lie above the earlier ones: the least of each half, as an engine on a busy machine gives memory back late. What
 * the first round makes once is not counted.
 */
function tellGrowth(what, levels) {
  const [, ...rest] = levels;
  const half = rest.length >> 1;
  tell(`${what}, growth`, Math.min(...rest.slice(half)) - Math.min(...rest.slice(0, half)), GROWTH);
  console.log(`  ${levels.map((level) => (level / MB).toFixed(1)).join(" ")} MB`);
}

const folder = mkdtempSync(join(tmpdir(), "octette-language-memory-"));
try {
  const [path = values.keep ?? join(folder, "made.octette")] = positionals;
  if (positionals.length === 0) console.log(`made by a process of ${megabytes(child("make", path).peak)}`);
  const idle = child("empty").peak;
  const { peak, weights, cache } = child("run", path);
  console.log(`weights ${megabytes(weights)}, cache of ${maxTokens} tokens ${megabytes(cache)}`);
  tell("load and fill the cache, peak above an empty process", peak - idle, weights + cache + BESIDE);
  const { levels: left } = child("loads", path, ["--expose-gc"]);
  tellGrowth(`what is left of ${values.loads} × load, generate, dispose`, left);
  const { levels, tokens } = child("sessions", path);
  tellGrowth(`${tokens} tokens in ${levels.length} sessions`, levels);
} finally {
  rmSync(folder, { recursive: true });
}
