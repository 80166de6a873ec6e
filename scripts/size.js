// What a download takes, against what it may take: the published scripts as a bundler minifies them, wasm included, raw and
// compressed (brotli, as servers of static files send it). What is loaded later, by whoever asks for threads or trains, is a row of its
// own. Fails above a budget; run it after a build.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import { formatBytes, formatTable } from "../build/terminal.js";
import { root } from "./esbuild.js";

/** Ops of an int8 convolutional network for images. */
const CNN =
  "Add, AveragePool, Clip, Concat, Conv, DequantizeLinear, Flatten, GlobalAveragePool, Linear, MaxPool, QuantizeLinear, Relu";

/** Brotli bytes that each part may take. */
const parts = [
  ["octette/runtime, every class", 56_000, () => atStart(RUNTIME)],
  ["float layers, where asked for", 6_000, () => later(RUNTIME, "floats")],
  ["op group math, where asked for", 14_000, () => later(RUNTIME, "math")],
  ["op group moves, where asked for", 8_500, () => later(RUNTIME, "moves")],
  ["op group normalize, where asked for", 4_000, () => later(RUNTIME, "normalize")],
  ["op group reduce, where asked for", 12_000, () => later(RUNTIME, "reduce")],
  ["op group recurrent, where asked for", 8_000, () => later(RUNTIME, "recurrent")],
  ["  over codes", 9_000, () => later(RUNTIME, "recurrentInt8")],
  ["op group sampling, where asked for", 5_000, () => later(RUNTIME, "sampling")],
  ["op group scales, where asked for", 2_500, () => later(RUNTIME, "scales")],
  ["op group packed, where asked for", 2_000, () => later(RUNTIME, "packed")],
  ["op group windows, where asked for", 10_500, () => later(RUNTIME, "windows")],
  ["op group sequence, where asked for", 2_200, () => later(RUNTIME, "sequence")],
  ["op group signal, where asked for", 3_000, () => later(RUNTIME, "signal")],
  ["op group vision, where asked for", 7_500, () => later(RUNTIME, "vision")],
  ["op group control, where asked for", 7_600, () => later(RUNTIME, "control")],
  ["op group state, where asked for", 1_000, () => later(RUNTIME, "state")],
  ["sizes that only a run knows, where asked for", 6_600, () => later(RUNTIME, "run-sizes")],
  [
    "runtime, every op, one class",
    99_000,
    () => atStart(runtimeOf("registry", "common, baseline, math, moves, normalize, reduce, sequence")),
  ],
  [
    "runtime, an int8 CNN, every class",
    49_400,
    () => atStart(runtimeOf(CNN, "common, baseline, extmul, relaxed")),
  ],
  ["runtime, an int8 CNN, one class", 45_000, () => atStart(runtimeOf(CNN, "common, baseline"))],
  ["octette.js of digits, every class", 44_900, () => pageOfDigits("all")["octette.js"]],
  ["octette.js of digits, one class", 40_700, () => pageOfDigits("baseline")["octette.js"]],
  ["page of digits beside its model", 67_000, () => filesOf(pageOfDigits("all"), /^(?!learn|stream)/)],
  ["  learning included", 116_500, () => filesOf(pageOfDigits("all"), /^(?!stream)/)],
  ["language models from artifacts, beside octette/runtime", 45_000, languageBesideCore],
  ["  folders and GGUF files, where asked for", 32_500, () => later(TEXT, "open", "build")],
  ["    encoders among them", 7_500, () => laterBeside(TEXT, ["open", "build"], "encoder-graph")],
  ["  chats, where asked for", 13_300, () => later(TEXT, "chat")],
  ["octette/quantize-language", 180_000, () => atStart('export * from "octette/quantize-language"')],
  ["threads, where asked for", 2_000, () => later(RUNTIME, "thread-pool")],
  ["toolkit", 180_000, () => atStart('export * from "octette"')],
  ["  with all that it may load later", 330_000, () => everything('export * from "octette"')],
  [
    "  kernels that few models need, where asked for",
    33_500,
    () => later('export { preload } from "octette"', "later-modules"),
  ],
  [
    "  quantizing, where asked for",
    14_200,
    () => later('export { quantize } from "octette"', "quantize-graph"),
  ],
  [
    "  opening data, where asked for",
    3_400,
    () => later('export { openDataset } from "octette"', "open-data"),
  ],
  [
    "  measuring models, where asked for",
    4_600,
    () => later('export { benchmark, evaluate } from "octette"', "benchmark", "class-counts", "evaluate"),
  ],
  [
    "TensorFlow Lite models, where asked for",
    15_000,
    () => later('export { load } from "octette"', "tflite"),
  ],
  [
    "export to ONNX, where asked for",
    12_000,
    () => later('export { exportOnnx } from "octette"', "export-onnx"),
  ],
  ["octette/learner", 21_000, () => atStart(LEARNER)],
  ["  its worker, where there are workers", 142_000, () => readFileSync(`${root}build/learner-worker.js`)],
  ["pictures of a page as feeds", 3_000, () => besideCore('export { pictureFeed } from "octette/pictures"')],
  [
    "  picture files, where asked for",
    12_000,
    () => later('export { openPicture } from "octette/pictures"', "decode"),
  ],
  ["sounds as feeds", 4_100, () => besideCore('export { openSound, soundFeatures } from "octette/sound"')],
  ["training, where asked for", 56_500, () => later('export { tune } from "octette"', "tune-graph")],
  ["train.wasm", 16_200, () => wasm("train")],
  ["common.wasm", 3_500, () => wasm("common")],
  ["baseline.wasm", 5_500, () => wasm("baseline")],
  ["extmul.wasm", 5_500, () => wasm("extmul")],
  ["relaxed.wasm", 5_500, () => wasm("relaxed")],
];

const RUNTIME = 'export { load } from "octette/runtime"';
const LEARNER = 'export { createLearner } from "octette/learner"';
const TEXT = 'export { loadLanguageModel } from "octette/text"';
const runtimeOf = (ops, modules) => `
  import { createRuntime } from "octette/create-runtime";
  import { ${ops} } from "octette/ops";
  import { ${modules} } from "octette/wasm";
  export const { load } = createRuntime(${ops === "registry" ? ops : `{ ${ops} }`}, { ${modules} });`;

/** The scripts that a user's bundler makes of the package, and which of them come with one: all that it imports at once. */
async function bundled(contents) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    outdir: root,
    write: false,
    metafile: true,
    logLevel: "error",
  });
  const scripts = Object.entries(metafile.outputs).map(([path, output], i) => ({ path, ...output, i }));
  const withImports = (first) => {
    const needed = new Set(first);
    for (const { imports } of needed)
      for (const { path, kind } of imports)
        if (kind === "import-statement") needed.add(scripts.find((script) => script.path === path));
    return needed;
  };
  const bytesOf = (list) =>
    Buffer.concat(list.map(({ i }) => Buffer.from(withoutHashes(outputFiles[i].text))));
  return { scripts, withImports, bytesOf };
}

/** A script without the hashes in names of chunks, by which what brotli makes of the same code varies by a hundred bytes. */
const withoutHashes = (text) => text.replace(/(-[A-Z0-9]{8})+\.js/g, ".js");

const isStart = ({ entryPoint }) => entryPoint === "<stdin>";

/** What a page loads at once. */
async function atStart(contents) {
  const { scripts, withImports, bytesOf } = await bundled(contents);
  return bytesOf([...withImports(scripts.filter(isStart))]);
}

/** All that a page may load, at once or later. */
async function everything(contents) {
  const { scripts, bytesOf } = await bundled(contents);
  return bytesOf(scripts);
}

/** What it loads later, with the scripts of the package that begin with these names. */
async function later(contents, ...names) {
  const { scripts, withImports, bytesOf } = await bundled(contents);
  const start = withImports(scripts.filter(isStart));
  const named = scripts.filter(({ path }) => names.some((name) => basename(path).startsWith(`${name}-`)));
  return bytesOf([...withImports(named)].filter((script) => !start.has(script)));
}

/** What it loads later with some of these scripts, beyond what it loads later with others. */
async function laterBeside(contents, others, ...names) {
  const all = await sizeOf(() => later(contents, ...others, ...names));
  const less = await sizeOf(() => later(contents, ...others));
  return { raw: all.raw - less.raw, brotli: all.brotli - less.brotli };
}

/** Bytes, raw and compressed. */
async function sizeOf(contents) {
  const bytes = await contents();
  return Buffer.isBuffer(bytes) ? { raw: bytes.length, brotli: brotliCompressSync(bytes).length } : bytes;
}

/** What a page that generates text from an artifact loads, now or later, beyond what octette/runtime loads at once. */
async function languageBesideCore() {
  const all = await sizeOf(async () =>
    Buffer.concat([await atStart(TEXT), await later(TEXT, "language", "sequence", "tokenizer")]),
  );
  const core = await sizeOf(() => atStart(RUNTIME));
  return { raw: all.raw - core.raw, brotli: all.brotli - core.brotli };
}

/** What a page loads at once beyond what octette/runtime loads. */
async function besideCore(contents) {
  const both = await sizeOf(() => atStart(`${RUNTIME}; ${contents}`));
  const core = await sizeOf(() => atStart(RUNTIME));
  return { raw: both.raw - core.raw, brotli: both.brotli - core.brotli };
}

const wasm = (group) => readFileSync(`${root}build/wasm/${group}.wasm`);

const pages = {};

/** What `octette bundle` writes beside the int8 model of examples/digits: contents by name. */
function pageOfDigits(engineClass) {
  pages[engineClass] ??= bundleDigits(engineClass);
  return pages[engineClass];
}

function bundleDigits(engineClass) {
  const digits = `${root}examples/digits/`;
  const folder = mkdtempSync(join(tmpdir(), "octette-size-"));
  const octette = (...args) =>
    execFileSync(process.execPath, [`${root}build/cli.js`, ...args], { stdio: "pipe" });
  try {
    const model = join(folder, "digits.octette");
    const page = join(folder, "page");
    const calibration = ["--calibrate", `${digits}train.npz`, "--samples", "64", "--normalize", "1/16,0,1"];
    octette("quantize", `${digits}digits.onnx`, "-o", model, ...calibration);
    octette("bundle", model, "-o", page, "--class", engineClass);
    const files = readdirSync(page).filter((file) => file !== basename(model));
    return Object.fromEntries(files.map((file) => [file, readFileSync(join(page, file))]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The files of a page whose names fit, each compressed by itself. */
function filesOf(page, names) {
  const contents = Object.keys(page)
    .filter((file) => names.test(file))
    .map((file) => page[file]);
  return {
    raw: contents.reduce((sum, { length }) => sum + length, 0),
    brotli: contents.reduce((sum, content) => sum + brotliCompressSync(content).length, 0),
  };
}

const rows = [];
for (const [name, budget, contents] of parts) {
  const { raw, brotli } = await sizeOf(contents);
  if (brotli > budget) process.exitCode = 1;
  const fits = brotli <= budget ? "" : "too large";
  rows.push([name, formatBytes(raw), formatBytes(brotli), formatBytes(budget), fits]);
}
console.log(
  formatTable(["part", "raw", "brotli", "budget", ""], rows, {
    align: "lrrrl",
  }),
);
