// Makes few scripts of the many chunks that octette/runtime loads at once. esbuild makes a chunk for each set of entries and of scripts that are
// imported later, which bundlers need in order to leave out what nobody uses. Node pays for each file that it loads (decision 21).

import { basename, dirname, join } from "node:path";
import { rollup } from "rollup";
import { root } from "./esbuild.js";

const RUNTIME = "src/runtime/index.ts";
/** What each of these loads is one script, the first of them that loads it deciding: kernels, and what a learner's page starts with. */
const FIRST = ["src/engine/inlined.ts", "src/learner/index.ts"];
/** Where users' bundles begin or divide: other chunks that the same of these load are one script. One op group stands for all. */
const APART = [
  "src/runtime/create-runtime-alone.ts",
  "src/runtime/core-runtime.ts",
  "src/index.ts",
  "build/groups/scales.ts",
];

/** Paths of the scripts that each of these sources loads at once, as esbuild's metafile has them. */
function loadedBy(source, outputs) {
  const [entry] = Object.keys(outputs).filter((path) => outputs[path].entryPoint === source);
  const loaded = new Set([entry]);
  for (const path of loaded)
    for (const { path: next, kind, external } of outputs[path].imports)
      if (kind === "import-statement" && !external) loaded.add(next);
  return loaded;
}

/** Names of the scripts, by the chunks that they are made of: entries have none. */
function namesOf(outputs, entries) {
  const atOnce = loadedBy(RUNTIME, outputs);
  const first = FIRST.map((source) => loadedBy(source, outputs));
  const apart = APART.map((source) => loadedBy(source, outputs));
  const keys = [];
  const nameOf = (path) => {
    if (!atOnce.has(path)) return basename(path, ".js");
    const own = first.findIndex((loaded) => loaded.has(path));
    const key = own >= 0 ? FIRST[own] : apart.map((loaded) => +loaded.has(path)).join("");
    if (!keys.includes(key)) keys.push(key);
    return `shared${keys.indexOf(key)}`;
  };
  return new Map(
    Object.keys(outputs)
      .filter((path) => !entries.includes(basename(path, ".js")))
      .map((path) => [join(root, path), nameOf(path)]),
  );
}

/** What esbuild made, with the chunks of the runtime joined: contents by file. */
export async function joinChunks({ outputFiles, metafile: { outputs } }, entries) {
  const texts = new Map(outputFiles.map(({ path, text }) => [path, text]));
  const names = namesOf(outputs, entries);
  const bundle = await rollup({
    input: Object.fromEntries(entries.map((name) => [name, join(root, "build", `${name}.js`)])),
    plugins: [
      {
        name: "chunks",
        resolveId(path, importer) {
          const own = importer ? join(dirname(importer), path) : path;
          return texts.has(own) ? own : { id: path, external: true };
        },
        // Without imports that are there for their order alone: no chunk has effects.
        load: (path) => texts.get(path)?.replaceAll(/^import "\.\/chunk-\w+\.js";\n/gm, ""),
      },
    ],
    treeshake: { moduleSideEffects: false },
    makeAbsoluteExternalsRelative: false,
  });
  const { output } = await bundle.generate({
    manualChunks: (path) => names.get(path),
    onlyExplicitManualChunks: true,
    chunkFileNames: ({ name }) => (name.startsWith("shared") ? "[name]-[hash].js" : "[name].js"),
    hashCharacters: "hex",
    hoistTransitiveImports: false,
    minifyInternalExports: true,
  });
  return output.map(({ fileName, code }) => [fileName, code]);
}
