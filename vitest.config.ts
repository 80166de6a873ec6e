import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vitest/config";

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

export default defineConfig({
  plugins: [inlineWasm],
  test: { include: ["test/**/*.test.ts"], exclude: ["test/browser/**"], testTimeout: 60_000 },
});
