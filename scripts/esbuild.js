// How the sources become scripts: what every build of them has in common.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Wasm as hexadecimal text: with it a compressor still sees the bytes of an instruction side by side. Brotli makes 30 % less of
 * it than of base64, and 9 % more than of the wasm itself.
 */
const inlineWasm = {
  name: "inline-wasm",
  setup({ onLoad }) {
    onLoad({ filter: /\.wasm$/ }, async ({ path }) => ({
      contents: `import { fromHex } from "./src/engine/hex";
        export default /* @__PURE__ */ fromHex("${(await readFile(path)).toString("hex")}");`,
      resolveDir: root,
    }));
  },
};

/** A script of src/ as the text of a program of its own. */
export async function textOf(path) {
  const { outputFiles } = await build({
    ...options,
    entryPoints: [path],
    format: "iife",
    minify: true,
    write: false,
    plugins: [],
  });
  return outputFiles[0].text.trim().replace(/^"use strict";\(\(\)=>\{(.*)\}\)\(\);$/s, "$1");
}

/** `import text from "./a?script"`: the script as text. */
const inlineScript = {
  name: "inline-script",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?script$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace("?script", ".ts")),
      namespace: "script",
    }));
    onLoad({ filter: /.*/, namespace: "script" }, async ({ path }) => ({
      contents: await textOf(path),
      loader: "text",
    }));
  },
};

/** Node's part stays a file of its own, in place of which bundlers for pages take another: the field "browser" of package.json. */
export const nodeApart = {
  name: "node-apart",
  setup({ onResolve }) {
    onResolve({ filter: /\/node-module$/ }, () => ({ path: "./node-module.js", external: true }));
  },
};

/** What is loaded only where there are to be threads. */
export const threadScripts = {
  "thread-pool": "src/engine/thread-pool.ts",
  "threads-worker": "src/engine/threads-worker.ts",
};

/** Options of esbuild for the sources in src/. */
export const options = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  platform: "neutral",
  mainFields: ["module", "main"],
  external: ["node:*", "*/thread-pool.js"],
  target: "es2022",
  plugins: [inlineWasm, inlineScript],
  minifySyntax: true,
  logLevel: "warning",
};
