// The runtime in pieces, for `octette bundle`: one piece a module, all in one scope, under names that no two pieces
// share. So a script of fewer ops is some of the pieces, one behind the other, and nobody needs a bundler to make it.

import { basename } from "node:path";
import { build, transform } from "esbuild";
import { options, root, threadScripts } from "./esbuild.js";
import { writeTables } from "./ops.js";

const ENTRY = `
  export { runtimeOf } from "./src/runtime-of";
  export { extmulClass, relaxedClass } from "./src/engine/classes";
  export { fromHex } from "./src/engine/hex";
  export { runSizes } from "./src/engine/run-sizes/run-sizes";
  export { FormatError, OctetteError } from "./src/errors";
  export * from "./src/ops/index";`;

/** Not in the pieces: a page loads it where it asks for a stream. */
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

/** Modules in the order in which they run, each with what it imports and its code; the names of what they export; each op's module. */
export async function createKit() {
  const homes = await writeTables();
  const { outputFiles, metafile } = await build({
    ...options,
    external: [...options.external, "*/stream.js"],
    stdin: { contents: ENTRY, resolveDir: root },
    minifyIdentifiers: true,
    write: false,
    metafile: true,
  });
  const [shared, ...parts] = outputFiles[0].text.split(/^\/\/ ((?:src|assembly|build|node_modules)\/\S+)$/m);
  if (shared.trim() !== "") throw new Error(`code before the first module: ${shared.trim()}`);
  const exported = /export \{([^}]*)\};\s*$/;
  const names = [...exported.exec(parts.at(-1))[1].matchAll(/(\S+) as (\w+)/g)].map(([, own, name]) => [
    name,
    own,
  ]);
  const modules = [];
  for (let i = 0; i < parts.length; i += 2) {
    const { code } = await transform(parts[i + 1].replace(exported, ""), { minifyWhitespace: true });
    const imports = metafile.inputs[parts[i]]?.imports.map(({ path }) => path) ?? [];
    modules.push({ path: parts[i], imports, code: code.trim() });
  }
  return { modules, names: Object.fromEntries(names), homes, threads: await threads(), pages: await pages() };
}
