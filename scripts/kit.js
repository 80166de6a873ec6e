// The runtime and what learning adds to it in declarations, for `octette bundle`: all in one scope, under names that no two declarations
// share. A script of fewer ops is some of them, one after the other, and nobody needs a bundler to make it. Nearly all of them are the script of
// a learner's worker, which the package has anyway: the kit says where in it each one lies.

import { basename, join } from "node:path";
import { build } from "esbuild";
import { declarationsOf } from "./declarations.js";
import { options, root } from "./esbuild.js";
import { writeTables } from "./ops.js";

const ENTRY = `
  export { runtimeOf } from "./src/runtime/runtime";
  export { extmulClass, relaxedClass } from "./src/engine/classes";
  export { fromHex } from "./src/engine/hex";
  export { runSizes } from "./src/engine/run-sizes/run-sizes";
  export { FormatError, OctetteError } from "./src/errors";
  export { startLearning } from "./src/bundle/page/learn-worker";
  export { startWorker } from "./src/learner/worker";
  export * from "./src/ops/index";`;

/** The script of streams: not among the declarations, for a page loads it where it asks for a stream. */
async function stream() {
  const { outputFiles } = await build({
    ...options,
    entryPoints: ["src/engine/stream.ts"],
    minify: true,
    write: false,
  });
  return outputFiles[0].text;
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

/**
 * Leaves out kernels: whoever starts a worker sends it some, and a bundle has those of its model. Also leaves out modules that the script
 * imports at run time.
 */
const apart = {
  name: "apart",
  setup({ onResolve }) {
    onResolve({ filter: /\/(carried|inlined)$/ }, () => ({ path: join(root, "src/learner/received.ts") }));
    onResolve({ filter: /.*/ }, ({ kind, path }) =>
      kind === "dynamic-import" ? { path, external: true } : undefined,
    );
  },
};

/** Tables of what there is, by the ops of all models: a bundle writes those of its own. */
const isTable = (path) => path.startsWith("build/groups/");

/** Declarations that one needs, with all entries of tables. */
function neededBy(name, declarations) {
  const byName = new Map(declarations.flatMap((one) => one.names.map((own) => [own, one])));
  const needed = new Set([byName.get(name)]);
  for (const { reads } of needed) for (const next of reads) needed.add(byName.get(next));
  return needed;
}

/** A worker is one file without imports, which every bundler finds and takes: nobody there asks for threads or streams. */
const alone = (code) => code.replaceAll(/import\("\.\/[\w-]+\.js"\)/g, "Promise.reject()");

/** The declarations in the order in which they run, with their names for what they export, and the script of a learner's worker, a line of it for each. */
export async function createKit() {
  await writeTables();
  const { outputFiles } = await build({
    ...options,
    plugins: [apart, ...options.plugins],
    external: [...options.external, "*/stream.js"],
    stdin: { contents: ENTRY, resolveDir: root },
    minifyIdentifiers: true,
    write: false,
  });
  const { declarations, names } = await declarationsOf(outputFiles[0].text, isTable);
  const needed = neededBy(names.startWorker, declarations);
  const lines = declarations.map((one) => (needed.has(one) ? alone(one.code) : ""));
  const kept = declarations.map(({ names, entries, reads, code }, i) => {
    const { length } = lines[i];
    if (entries) return { names, length, entries };
    return { names, length, reads, ...(lines[i] === code ? {} : { code }) };
  });
  return {
    kit: { declarations: kept, names, stream: await stream(), pages: await pages() },
    worker: `${lines.join("\n")}\n${names.startWorker}();\n`,
  };
}
