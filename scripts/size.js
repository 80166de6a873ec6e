// What a download takes, against what it may take: the published scripts as a bundler minifies them, wasm included, raw and
// compressed (brotli, as servers of static files send it). Fails above a budget; run it after a build.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import * as octette from "../build/index.js";
import { formatBytes, formatTable } from "../build/index.js";
import { root } from "./esbuild.js";

/** Ops of an int8 convolutional network for images. */
const CNN =
  "Add, AveragePool, Clip, Concat, Conv, DequantizeLinear, Flatten, Gemm, GlobalAveragePool, MaxPool, QuantizeLinear, Relu";

/** What inference, conversion and comparison take of the toolkit. */
const WITHOUT_TRAINING = Object.keys(octette).filter((name) => name !== "tune");

/** Brotli bytes that each part may take. */
const parts = [
  ["runtime, every op and class", 60_000, () => bundled('export { load } from "octette/runtime"')],
  ["runtime, every op, one class", 55_000, () => bundled(runtimeOf("registry", "common, baseline"))],
  [
    "runtime, an int8 CNN, every class",
    55_000,
    () => bundled(runtimeOf(CNN, "common, baseline, extmul, relaxed")),
  ],
  ["runtime, an int8 CNN, one class", 45_000, () => bundled(runtimeOf(CNN, "common, baseline"))],
  ["octette.js of digits, every class", 45_000, () => bundleOfDigits("all")],
  ["octette.js of digits, one class", 40_000, () => bundleOfDigits("baseline")],
  ["toolkit without training", 120_000, () => bundled(`export { ${WITHOUT_TRAINING} } from "octette"`)],
  ["toolkit", 150_000, () => bundled('export * from "octette"')],
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

/** A script as a user's bundler makes it of the package. */
async function bundled(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    logLevel: "error",
  });
  return outputFiles[0].contents;
}

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
