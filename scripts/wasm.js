// Compiles the kernels in assembly/ to build/: all modules, or those named on the command line, as many at once as there are
// cores. A module whose sources, flags and compilers are those of the file that is there is not compiled again.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { root } from "./esbuild.js";
import { classedGroups, groupsWithKernels, modulesOfClasses } from "./ops.js";

const extmul = ["--use", "EXTMUL_CLASS=i8"];
const relaxed = ["--enable", "relaxed-simd"];

/** A source compiled for each class, under the names of these modules. */
const ofClasses = ([baseline, ...others], source) => ({
  [baseline]: { source },
  [others[0]]: { source, flags: extmul },
  [others[1]]: { source, flags: relaxed },
});
const inFolder = (folder, names) => names.map((name) => `${folder}/${name}`);
const CLASSES = ["baseline", "extmul", "relaxed"];

/** What each module is compiled of, and with which flags beside those of all. */
const modules = {
  "wasm/common": { source: "common" },
  ...Object.fromEntries((await groupsWithKernels()).map((group) => [`wasm/${group}`, { source: group }])),
  "wasm/train": { source: "train" },
  "wasm/quantizer": { source: "quantizer" },
  ...ofClasses(inFolder("wasm", CLASSES), "class"),
  ...Object.assign(
    {},
    ...(await classedGroups()).map((group) =>
      ofClasses(inFolder("wasm", modulesOfClasses(group)), `${group}-class`),
    ),
  ),
  ...ofClasses(inFolder("ceiling", CLASSES), "ceiling"),
};

/** Hash of all that modules are compiled from: sources, these scripts and versions of the compilers. */
async function hashOfSources() {
  const hash = createHash("sha256");
  const folder = join(root, "assembly");
  const inAssembly = (await readdir(folder, { recursive: true }))
    .filter((file) => file.endsWith(".ts"))
    .sort();
  const beside = ["wasm", "wasm-worker", "wasm-text", "constants"].map((name) => `scripts/${name}.js`);
  const compilers = ["assemblyscript", "binaryen"].map((name) => `node_modules/${name}/package.json`);
  for (const file of [...inAssembly.map((path) => `assembly/${path}`), ...beside, ...compilers])
    hash.update(`${file}\0`).update(await readFile(join(root, file)));
  return hash.digest("hex");
}

/** What each file in build/ was compiled from, by module. */
const RECORD = join(root, "build/compiled.json");
const sources = await hashOfSources();
const compiledFrom = await readFile(RECORD, "utf8")
  .then(JSON.parse)
  .catch(() => ({}));
const keyOf = (name) => `${sources} ${JSON.stringify(modules[name])}`;
const isCurrent = (name) =>
  compiledFrom[name] === keyOf(name) && existsSync(join(root, `build/${name}.wasm`));

/** A thread that compiles modules one after the other: it loads the compilers once. */
function createCompiler() {
  const worker = new Worker(new URL("wasm-worker.js", import.meta.url));
  return {
    /** Compiles a module, and records what it was compiled from. */
    async compile(name) {
      worker.postMessage({ name, ...modules[name] });
      const [failure] = await once(worker, "message");
      if (failure) throw new Error(`${name}: ${failure}`);
      compiledFrom[name] = keyOf(name);
    },
    close: () => worker.terminate(),
  };
}

const named = process.argv.slice(2);
const unknown = named.filter((name) => !Object.keys(modules).some((key) => key.endsWith(name)));
if (unknown.length > 0) throw new Error(`no module ${unknown}: there are ${Object.keys(modules).join(", ")}`);
const waiting = Object.keys(modules).filter(
  (key) => !isCurrent(key) && (named.length === 0 || named.some((name) => key.endsWith(name))),
);
const { length } = waiting;
const record = () => writeFile(RECORD, JSON.stringify(compiledFrom));
// Whoever stops this leaves files that are not whole: they are compiled again.
for (const name of waiting) delete compiledFrom[name];
await mkdir(join(root, "build"), { recursive: true });
await record();
/** Overwritten line by line where somebody watches: half a minute on two cores. */
const tell = (done) =>
  process.stderr.isTTY &&
  length > 0 &&
  process.stderr.write(`\rkernels compiled: ${done}/${length}${done < length ? "" : "\n"}`);
let compiled = 0;
const work = async () => {
  const compiler = createCompiler();
  try {
    for (let name = waiting.shift(); name; name = waiting.shift()) {
      await compiler.compile(name);
      tell(++compiled);
    }
  } finally {
    await compiler.close();
  }
};
tell(0);
const threads = Math.min(availableParallelism(), length);
await Promise.all(Array.from({ length: threads }, work)).catch((failure) => {
  console.error(failure.message);
  process.exitCode = 1;
});
await record();
