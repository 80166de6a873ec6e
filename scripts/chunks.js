// Makes few scripts of the many chunks that octette/runtime loads at once. esbuild makes a chunk for each set of entries and of scripts that are
// imported later, which bundlers need in order to leave out what nobody uses. Node pays for each file that it loads.

import { basename, dirname, join } from "node:path";
import { rollup } from "rollup";
import { root } from "./esbuild.js";

const RUNTIME = "src/runtime.ts";
/** What users' bundles start with, or import later, beside the runtime: chunks that the same of these load are one script. */
const APART = [
  "src/index.ts",
  "src/custom-runtime.ts",
  "src/create-toolkit.ts",
  "src/learner/index.ts",
  "src/engine/inlined.ts",
  "src/quantize/quantize-graph.ts",
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
  const apart = APART.map((source) => loadedBy(source, outputs));
  const keys = [];
  const nameOf = (path) => {
    if (!atOnce.has(path)) return basename(path, ".js");
    const key = apart.map((loaded) => +loaded.has(path)).join("");
    if (!keys.includes(key)) keys.push(key);
    return `core${keys.indexOf(key) + 1}`;
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
        load: (path) => texts.get(path),
      },
    ],
    treeshake: { moduleSideEffects: false },
    makeAbsoluteExternalsRelative: false,
  });
  const { output } = await bundle.generate({
    manualChunks: (path) => names.get(path),
    onlyExplicitManualChunks: true,
    chunkFileNames: ({ name }) => (name.startsWith("core") ? "[name]-[hash].js" : "[name].js"),
    hashCharacters: "hex",
    hoistTransitiveImports: false,
    minifyInternalExports: false,
  });
  return output.map(({ fileName, code }) => [fileName, code]);
}
