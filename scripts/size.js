// What a download takes, against what it may take: the published scripts as a bundler minifies them, wasm included, raw and
// compressed (brotli, as servers of static files send it). What is loaded later, by whoever asks for threads or trains, is a row of its
// own. Fails above a budget; run it after a build.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import { formatBytes, formatTable } from "../build/index.js";
import { root } from "./esbuild.js";

/** Ops of an int8 convolutional network for images. */
const CNN =
  "Add, AveragePool, Clip, Concat, Conv, DequantizeLinear, Flatten, Gemm, GlobalAveragePool, MaxPool, QuantizeLinear, Relu";

/** Brotli bytes that each part may take. */
const parts = [
  ["runtime, every op and class", 59_500, () => atStart('export { load } from "octette/runtime"')],
  ["runtime, every op, one class", 54_500, () => atStart(runtimeOf("registry", "common, baseline"))],
  [
    "runtime, an int8 CNN, every class",
    52_000,
    () => atStart(runtimeOf(CNN, "common, baseline, extmul, relaxed")),
  ],
  ["runtime, an int8 CNN, one class", 46_500, () => atStart(runtimeOf(CNN, "common, baseline"))],
  ["octette.js of digits, every class", 45_000, () => bundleOfDigits("all")],
  ["octette.js of digits, one class", 40_000, () => bundleOfDigits("baseline")],
  ["threads, where asked for", 2_000, () => later('export { load } from "octette/runtime"')],
  ["toolkit", 136_000, () => atStart('export * from "octette"')],
  ["training, where asked for", 43_000, () => later('export { tune } from "octette"')],
  ["train.wasm", 20_000, () => wasm("train")],
  ["common.wasm", 10_000, () => wasm("common")],
  ["baseline.wasm", 8_000, () => wasm("baseline")],
  ["extmul.wasm", 8_000, () => wasm("extmul")],
  ["relaxed.wasm", 8_000, () => wasm("relaxed")],
];

const runtimeOf = (ops, classes) => `
  import { createRuntime } from "octette/runtime";
  import { ${ops} } from "octette/ops";
  import { ${classes} } from "octette/wasm";
  export const { load } = createRuntime(${ops === "registry" ? ops : `{ ${ops} }`}, { ${classes} });`;

/** The scripts that a user's bundler makes of the package: what a page loads at once, and what it may load later. */
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
  const needed = new Set(scripts.filter(({ entryPoint }) => entryPoint === "<stdin>"));
  for (const { imports } of needed)
    for (const { path, kind } of imports)
      if (kind === "import-statement") needed.add(scripts.find((script) => script.path === path));
  const join = (list) => Buffer.concat(list.map(({ i }) => outputFiles[i].contents));
  return { start: join([...needed]), later: join(scripts.filter((script) => !needed.has(script))) };
}

const atStart = async (contents) => (await bundled(contents)).start;
const later = async (contents) => (await bundled(contents)).later;

const wasm = (group) => readFileSync(`${root}build/wasm/${group}.wasm`);

/** The script that `octette bundle` writes for the int8 model of examples/digits. */
function bundleOfDigits(engineClass) {
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
    return readFileSync(join(page, "octette.js"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const rows = [];
for (const [name, budget, contents] of parts) {
  const bytes = await contents();
  const brotli = brotliCompressSync(bytes).length;
  if (brotli > budget) process.exitCode = 1;
  const fits = brotli <= budget ? "" : "too large";
  rows.push([name, formatBytes(bytes.length), formatBytes(brotli), formatBytes(budget), fits]);
}
console.log(
  formatTable(["part", "raw", "brotli", "budget", ""], rows, {
    align: ["left", "right", "right", "right", "left"],
  }),
);
