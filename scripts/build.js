// Writes the scripts of build/: the package's entries and the chunks they share; and two
// files that are loaded only where there are to be threads.

import { readdir, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";
import { joinChunks } from "./chunks.js";
import { nodeApart, options, root, threadScripts } from "./esbuild.js";
import { createKit } from "./kit.js";

const folder = `${root}build/`;
// Scripts of an earlier build, which have a hash in their names.
for (const file of await readdir(folder)) if (/-[A-Z0-9]{8}\.js$/i.test(file)) await rm(folder + file);
const { kit, worker } = await createKit();
await writeFile(`${folder}learner-worker.js`, worker);
await writeFile(`${folder}kit.json.gz`, gzipSync(JSON.stringify(kit), { level: 9 }));
await writeFile(`${folder}place.mjs`, 'export const folder = new URL(".", import.meta.url);\n');
const entryPoints = {
  runtime: "src/runtime/index.ts",
  index: "src/index.ts",
  // An entry of its own keeps it in a file of its own, which bundlers leave out where only createRuntime is used.
  "core-runtime": "src/runtime/core-runtime.ts",
  "create-runtime": "src/runtime/create-runtime-alone.ts",
  "create-toolkit": "src/toolkit/create-toolkit.ts",
  nn: "src/nn/index.ts",
  pictures: "src/pictures/index.ts",
  sound: "src/sound/index.ts",
  text: "src/text/index.ts",
  tflite: "src/tflite.ts",
  learner: "src/learner/index.ts",
  "quantize-language": "src/quantize-language.ts",
  ops: "src/ops/index.ts",
  wasm: "src/engine/inlined.ts",
  cli: "src/cli/main.ts",
  // What examples and benchmarks print with; no entry of the package.
  terminal: "src/cli/terminal.ts",
  footprint: "src/cli/footprint-process.ts",
};
const chunks = await build({
  ...options,
  entryPoints,
  plugins: [...options.plugins, nodeApart],
  splitting: true,
  outdir: folder,
  metafile: true,
  write: false,
});
/**
 * Without what engines do not read. Marks of purity stay, which esbuild's own way takes away: by them bundlers leave out what nobody uses. Classes keep
 * their names, which errors say, and statements their lines, of which Node shows one above an error.
 */
const minified = async (code) =>
  (
    await minify(code, {
      module: true,
      compress: false,
      mangle: { reserved: [...code.matchAll(/\b(\w+) = class\b/g)].map(([, name]) => name) },
      format: { preserve_annotations: true, semicolons: false },
    })
  ).code;
for (const [file, code] of await joinChunks(chunks, Object.keys(entryPoints)))
  await writeFile(folder + file, await minified(code));
// Of these libraries the scripts have code, whose licences NOTICE has.
const libraries = Object.keys(chunks.metafile.inputs).flatMap(
  (path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
);
await writeFile(`${folder}libraries.json`, JSON.stringify([...new Set(libraries)]));
// Bundlers copy them as they are.
await build({ ...options, entryPoints: threadScripts, minify: true, outdir: folder });
await build({ ...options, entryPoints: ["src/node-module.ts"], minify: true, outdir: folder });
await build({ entryPoints: ["src/no-node-module.ts"], absWorkingDir: root, minify: true, outdir: folder });
