// How the sources become scripts: what every build of them has in common.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

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

/** What is loaded only where there are to be threads. */
export const threadScripts = {
  "threads-crew": "src/engine/threads-crew.ts",
  worker: "src/engine/threads-worker.ts",
};

/** Options of esbuild for the sources in src/. */
export const options = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  platform: "neutral",
  mainFields: ["module", "main"],
  external: ["node:*", "*/threads-crew.js"],
  target: "es2022",
  plugins: [inlineWasm],
  minifySyntax: true,
  logLevel: "warning",
};
