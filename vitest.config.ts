import { existsSync, readFileSync } from "node:fs";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig, type Plugin } from "vitest/config";
import { chromiumFlags, chromiumPath, isolation } from "./scripts/chromium.js";
import { textOf } from "./scripts/esbuild.js";

/** Inlines wasm as the bundler does, so that tests run the sources. */
const inlineWasm: Plugin = {
  name: "inline-wasm",
  enforce: "pre",
  load(id) {
    if (!id.endsWith(".wasm")) return null;
    const base64 = readFileSync(id).toString("base64");
    return `export default Uint8Array.from(atob("${base64}"), (c) => c.charCodeAt(0));`;
  },
};

if (!chromiumPath)
  console.log("No Chromium found (CHROMIUM=path names one): the browser tests are left out.");

/** Inlines scripts as the bundler does. */
const inlineScript: Plugin = {
  name: "inline-script",
  enforce: "pre",
  async load(id) {
    if (!id.endsWith("?script")) return null;
    return `export default ${JSON.stringify(await textOf(id.replace("?script", "")))};`;
  },
};

const data = process.env.OCTETTE_DATA ?? "../shared/data";
if (!existsSync(data))
  console.log(
    `No data at ${data} (OCTETTE_DATA names the folder): conformance, accuracy and real files are left out.`,
  );

/** Tests that start processes. */
const startProcesses = [
  "test/{bundle,cli,package}/**/*.test.ts",
  "test/limits/file-cost.test.ts",
  "test/train/interruption.test.ts",
];

/** Tests that measure the time of their own process, or replace a module. */
const needTheirOwn = ["test/limits/cost.test.ts", "test/train/checkpoint-file.test.ts"];

/** Tests of files, data, documents and accuracy: where kernels run in them, others have run the same. */
const ofFiles = [
  "test/{data,files,formats,pictures,report,sound}/**/*.test.ts",
  "test/{bench,imports,mutation,snippets}.test.ts",
  "test/quantize/accuracy.test.ts",
];

const inNode = {
  setupFiles: ["test/run-sizes.ts"],
  testTimeout: 120_000,
  hookTimeout: 120_000,
  provide: { chromium: chromiumPath ? { executablePath: chromiumPath, args: chromiumFlags } : undefined },
};

/** All others: a worker loads the modules once for all its files, which halves the time. */
const node = {
  plugins: [inlineWasm, inlineScript],
  test: {
    ...inNode,
    name: "node",
    include: ["test/**/*.test.ts"],
    exclude: ["test/browser/**", ...startProcesses, ...needTheirOwn, ...ofFiles],
    isolate: false,
  },
};

const files = {
  plugins: [inlineWasm, inlineScript],
  test: { ...inNode, name: "files", include: ofFiles, isolate: false },
};

const processes = {
  plugins: [inlineWasm, inlineScript],
  test: { ...inNode, name: "processes", include: startProcesses, isolate: false },
};

const isolated = {
  plugins: [inlineWasm, inlineScript],
  test: { ...inNode, name: "isolated", include: needTheirOwn },
};

/** What must be the same to the byte in a page: the kernels and the compiler, and what only a page does. */
const browser = {
  plugins: [inlineWasm, inlineScript],
  server: { headers: isolation },
  // Bundled before the first test: a library found later would reload the page under one.
  optimizeDeps: { include: ["@noble/hashes/sha2.js", "@noble/hashes/utils.js", "fflate", "pbf"] },
  test: {
    name: "browser",
    include: ["test/browser/**/*.test.ts", "test/determinism.test.ts", "test/event-loop.test.ts"],
    setupFiles: ["test/browser/collect.ts", "test/run-sizes.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          executablePath: chromiumPath ?? "",
          args: [...chromiumFlags, "--js-flags=--expose-gc"],
        },
      }),
      instances: [{ browser: "chromium" as const }],
    },
  },
};

export default defineConfig({
  test: {
    globalSetup: "test/exact-dot.ts",
    projects: [node, files, processes, isolated, ...(chromiumPath ? [browser] : [])],
  },
});
