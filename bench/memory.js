// Time and memory a process takes: from its start to the first result, to load a model of 200 MB from every kind of source,
// and to load, run and dispose of a model a thousand times. Each line is a process of its own, compared with an empty one.
//
//   npm run build && node bench/memory.js [MODEL.octette] [--runs 9] [--megabytes 200] [--loads 1000]

import { spawnSync } from "node:child_process";
import {
  createReadStream,
  mkdtempSync,
  openAsBlob,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "9" },
    megabytes: { type: "string", default: "200" },
    loads: { type: "string", default: "1000" },
    role: { type: "string" },
    source: { type: "string", default: "path" },
  },
});

const MB = 1e6;
const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
const runtime = "../build/runtime.js";

/** Zeros for every input, with all symbols 1. */
const zeros = (model) =>
  Object.fromEntries(
    model.inputs.map(({ name, dtype, shape }) => {
      const length = shape.reduce((n, dim) => n * (typeof dim === "number" ? dim : 1), 1);
      const Elements = {
        f32: Float32Array,
        i8: Int8Array,
        u8: Uint8Array,
        i32: Int32Array,
        bool: Uint8Array,
      }[dtype];
      return [
        name,
        { dtype, shape: shape.map((dim) => (typeof dim === "number" ? dim : 1)), data: new Elements(length) },
      ];
    }),
  );

const sources = {
  path: (path) => path,
  bytes: (path) => readFileSync(path),
  stream: (path) => createReadStream(path),
  blob: (path) => openAsBlob(path),
};

/** What a process of its own does; each says what it found in one line of JSON. */
const roles = {
  empty: () => ({}),
  async load(path) {
    const { load } = await import(runtime);
    const model = await load(await sources[values.source](path));
    model.runSync(zeros(model));
    return { bytes: model.bytes, arena: model.plan.memory.arenaBytes };
  },
  async loads(path) {
    const { load } = await import(runtime);
    const rss = [];
    for (let i = 0; i < Number(values.loads); i++) {
      const model = await load(path);
      model.runSync(zeros(model));
      model.dispose();
      globalThis.gc();
      rss.push(process.memoryUsage.rss());
    }
    // What was collected is given back a little later, so one load says less than the median of some.
    const block = Math.ceil(rss.length / 10);
    return { levels: Array.from({ length: 10 }, (_, i) => median(rss.slice(i * block, (i + 1) * block))) };
  },
  /** Layers of 1024 · 4096 weights, made up to the size asked for. */
  async make(path) {
    const { save, tensor } = await import("../build/index.js");
    const [rows, cols] = [4096, 1024];
    const layers = Math.round((Number(values.megabytes) * MB) / (4 * rows * cols));
    const constants = new Map();
    const nodes = [];
    for (let i = 0; i < layers; i++) {
      const [n, k] = i % 2 === 0 ? [rows, cols] : [cols, rows];
      const weights = new Float32Array(n * k).map((_, j) => ((j * 2654435761) % 1009) / 1009 - 0.5);
      constants.set(`w${i}`, { dtype: "f32", shape: [n, k], data: weights });
      constants.set(`b${i}`, tensor("f32", [n], new Float32Array(n)));
      const inputs = [i === 0 ? "x" : `y${i - 1}`, `w${i}`, `b${i}`];
      nodes.push({ op: "Linear", name: `layer${i}`, inputs, outputs: [`y${i}`], attributes: {} });
    }
    const inputs = [{ name: "x", dtype: "f32", shape: ["batch", cols] }];
    const graph = { name: "made", inputs, outputs: [`y${layers - 1}`], nodes, constants, provenance: {} };
    writeFileSync(path, save(graph));
    return { largest: 4 * rows * cols };
  },
};

if (values.role) {
  const found = await roles[values.role](positionals[0]);
  console.log(JSON.stringify({ ...found, peak: process.resourceUsage().maxRSS * 1024 }));
  process.exit();
}

/** Runs a role in a process of its own. */
function child(role, path = "", flags = [], more = []) {
  const start = performance.now();
  const args = [...flags, fileURLToPath(import.meta.url), "--role", role, ...more, path];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return { milliseconds: performance.now() - start, ...JSON.parse(stdout) };
}

const megabytes = (bytes) => (bytes / MB).toFixed(1).padStart(7);

const folder = mkdtempSync(join(tmpdir(), "octette-memory-"));
try {
  const made = join(folder, "made.octette");
  const { largest } = child("make", made, [], ["--megabytes", values.megabytes]);
  const [small = made] = positionals;

  const empty = [];
  const cold = [];
  for (let i = 0; i < Number(values.runs); i++) {
    empty.push(child("empty"));
    cold.push(child("load", small));
  }
  const idle = median(empty.map(({ peak }) => peak));
  const above = (runs) =>
    median(runs.map(({ milliseconds }) => milliseconds)) - median(empty.map((r) => r.milliseconds));
  console.log(`cold start to first result, above an empty process, median of ${values.runs}`);
  console.log(
    `  ${above(cold).toFixed(1)} ms  ${megabytes(median(cold.map(({ peak }) => peak)) - idle)} MB peak\n`,
  );

  const file = statSync(made).size;
  console.log(
    `a model of ${megabytes(file)} MB, largest tensor ${megabytes(largest)} MB: peak above an empty process`,
  );
  for (const source of Object.keys(sources)) {
    const { peak, bytes, arena } = child("load", made, [], ["--source", source]);
    const limit = file + largest + arena + 20 * MB;
    console.log(
      `  ${source.padEnd(7)} ${megabytes(peak - idle)} MB, wasm memory ${megabytes(bytes)} MB, bound ${megabytes(limit)} MB`,
    );
  }

  const { levels } = child("loads", small, ["--expose-gc"], ["--loads", values.loads]);
  console.log(`\n${values.loads} × load, run, dispose: resident memory, medians of a tenth of them`);
  console.log(`  ${levels.map((level) => (level / MB).toFixed(1)).join(" ")} MB`);
} finally {
  rmSync(folder, { recursive: true });
}
