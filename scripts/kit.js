// The runtime in pieces, for `octette bundle`: one piece a module, all in one scope, under names that no two pieces
// share. So a script of fewer ops is some of the pieces, one behind the other, and nobody needs a bundler to make it.

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { build, transform } from "esbuild";
import ts from "typescript";
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

/** Wasm is not in the pieces: a bundle has that of its model, pruned, in files. Nor is what would be imported later. */
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
const TABLE = /^build\/groups\//;

/** The pieces of the worker that learns. Of a table: its names in the pieces, and for each key what stands for it and where that lies. */
async function learningPieces() {
  const { outputFiles, metafile } = await build({
    ...options,
    plugins: [wasmApart, ...options.plugins],
    entryPoints: ["src/bundle/page/learn-worker.ts"],
    outdir: "build",
    minifyIdentifiers: true,
    write: false,
    metafile: true,
  });
  const [, ...parts] = outputFiles[0].text.split(/^\/\/ ((?:src|assembly|build|node_modules)\/\S+)$/m);
  const written = new Set(parts.filter((_, i) => i % 2 === 0));
  /** Modules that only pass on what others export have no code. */
  const modules = Object.entries(metafile.inputs)
    .filter(([path]) => !written.has(path))
    .map(([path, { imports }]) => ({ path, imports: imports.map((one) => one.path), code: "" }));
  for (let i = 0; i < parts.length; i += 2) {
    const [path, text] = [parts[i], parts[i + 1]];
    if (TABLE.test(path)) modules.push({ path, tables: await tablesOf(path, text) });
    else {
      const { code } = await transform(text, { minifyWhitespace: true });
      const imports = metafile.inputs[path]?.imports.map((one) => one.path) ?? [];
      modules.push({ path, imports, code: code.trim() });
    }
  }
  return modules;
}

async function tablesOf(path, text) {
  const source = await readFile(root + path, "utf8");
  const imported = source.matchAll(/^import \{ (?:\w+ as )?(\w+) \} from "\.\.\/\.\.\/(\S+)";/gm);
  const homes = new Map([...imported].map(([, name, home]) => [name, `${home}.ts`]));
  const declared = objectsIn(source);
  return objectsIn(text).map(({ name, entries }) => {
    const keysOf = (table) => table.entries.map(([key]) => key).join();
    const own = declared.find((table) => keysOf(table) === keysOf({ entries }));
    if (!own) throw new Error(`${path}: a table that it does not declare, ${name}`);
    return {
      name,
      entries: entries.map(([key, value], i) => [key, value, homes.get(own.entries[i][1]) ?? ""]),
    };
  });
}

/** Constants of a script that are objects of names: their own names, keys, and the names that stand for them. */
function objectsIn(text) {
  const { statements } = ts.createSourceFile("table.ts", text, ts.ScriptTarget.ES2022);
  return statements
    .flatMap((statement) => statement.declarationList?.declarations ?? [])
    .map(({ name, initializer }) => ({ name, initializer: initializer?.expression ?? initializer }))
    .filter(({ initializer }) => initializer && ts.isObjectLiteralExpression(initializer))
    .map(({ name, initializer }) => ({
      name: name.text,
      entries: initializer.properties.map(({ name: key, initializer: value = key }) => [
        key.text,
        value.text,
      ]),
    }));
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
  return {
    modules,
    names: Object.fromEntries(names),
    homes,
    threads: await threads(),
    pages: await pages(),
    learning: await learningPieces(),
  };
}
