// The runtime and what learning adds to it in declarations, for `octette bundle`: all in one scope, under names that no two declarations
// share. A script of fewer ops is some of them, one after the other, and nobody needs a bundler to make it.

import { basename } from "node:path";
import { build } from "esbuild";
import { declarationsOf } from "./declarations.js";
import { options, root, threadScripts } from "./esbuild.js";
import { writeTables } from "./ops.js";

const ENTRY = `
  export { runtimeOf } from "./src/runtime-of";
  export { extmulClass, relaxedClass } from "./src/engine/classes";
  export { fromHex } from "./src/engine/hex";
  export { runSizes } from "./src/engine/run-sizes/run-sizes";
  export { FormatError, OctetteError } from "./src/errors";
  export { startLearning } from "./src/bundle/page/learn-worker";
  export * from "./src/ops/index";`;

/** Not among the declarations: a page loads it where it asks for a stream. */
const STREAM = { stream: "src/engine/stream.ts" };

/** The scripts of further threads and of streams, by file. */
async function threads() {
  const { outputFiles } = await build({
    ...options,
    entryPoints: { ...threadScripts, ...STREAM },
    outdir: "build",
    minify: true,
    write: false,
  });
  return Object.fromEntries(outputFiles.map(({ path, text }) => [basename(path), text]));
}

/** Scripts and styles of the pages that show a model, by file. They import what lies beside them. */
async function pages() {
  const { outputFiles } = await build({
    ...options,
    entryPoints: {
      page: "src/bundle/page/main.ts",
      style: "src/bundle/page/page.css",
      icon: "src/bundle/page/icon.svg",
      language: "src/bundle/page/language-main.ts",
      "language-worker": "src/bundle/page/language-worker.ts",
    },
    loader: { ".svg": "copy" },
    external: [...options.external, "*/octette.js", "*/text.js"],
    outdir: "build",
    minify: true,
    write: false,
  });
  return Object.fromEntries(outputFiles.map(({ path, text }) => [basename(path), text]));
}

/** Wasm is not among them: a bundle has that of its model, pruned, in files. Nor is what would be imported later. */
const wasmApart = {
  name: "wasm-apart",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /.*/ }, ({ kind, path }) =>
      kind === "dynamic-import" ? { path, external: true } : undefined,
    );
    onLoad({ filter: /\.wasm$/ }, ({ path }) => ({
      contents: `export default /* @__PURE__ */ wasmFile("${basename(path, ".wasm")}")`,
    }));
  },
};

/** Tables of what there is, by the ops of all models: a bundle writes those of its own. */
const isTable = (path) => path.startsWith("build/groups/");

/** The declarations of the runtime and of the worker that learns, in the order in which they run, and their names for what they export. */
export async function createKit() {
  await writeTables();
  const { outputFiles } = await build({
    ...options,
    plugins: [wasmApart, ...options.plugins],
    external: [...options.external, "*/stream.js"],
    stdin: { contents: ENTRY, resolveDir: root },
    minifyIdentifiers: true,
    write: false,
  });
  return {
    ...(await declarationsOf(outputFiles[0].text, isTable)),
    threads: await threads(),
    pages: await pages(),
  };
}
