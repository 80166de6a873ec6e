// How the sources become scripts: what every build of them has in common.

import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
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
    // It has no files beside it.
    logOverride: { "empty-import-meta": "silent" },
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

/** Names of the functions in src/ that are marked as free of side effects. */
async function pureNames() {
  const files = await readdir(`${root}src`, { recursive: true });
  const texts = files
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(`${root}src/${file}`, "utf8"));
  return new Set(
    texts.flatMap((text) =>
      [...text.matchAll(/@__NO_SIDE_EFFECTS__\n(?:export )?(?:const|function) (\w+)/g)].map(
        ([, name]) => name,
      ),
    ),
  );
}

/** Marks calls of such functions where they are imported: bundlers know the mark of a function only in its own file. */
const markPureCalls = {
  name: "mark-pure-calls",
  setup({ onStart, onLoad }) {
    let pure;
    onStart(async () => void (pure = await pureNames()));
    onLoad({ filter: /\/src\/.*\.ts$/, namespace: "file" }, async ({ path }) => {
      let contents = await readFile(path, "utf8");
      const imported = [...contents.matchAll(/^import \{([^}]*)\}/gm)].flatMap(([, names]) =>
        names.split(","),
      );
      for (const [name, own = name] of imported.map((part) => part.trim().split(" as ")))
        if (pure.has(name))
          contents = contents.replaceAll(new RegExp(`(?<![\\w$.])${own}\\(`, "g"), `/* @__PURE__ */ ${own}(`);
      return { contents, loader: "ts" };
    });
  },
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
  plugins: [inlineWasm, inlineScript, markPureCalls],
  minifySyntax: true,
  logLevel: "warning",
};
