// Writes to build/groups/ the tables that are made of files, so that nobody writes a list of ops.
//
// - Each folder of src/ops is a group; src/ops itself has what they share. An op is what a file there exports with a rule `infer`:
//   `export const argMax` is ArgMax, and `argMaxTraits` are its traits. assembly/GROUP.ts has the group's kernels, and
//   assembly/GROUP-class.ts those that are compiled for each engine class. assembly/floats.ts has kernels of the core that integer
//   models do not call: a group without ops. So is GROUPInt8 of assembly/GROUPInt8-class.ts: kernels over codes of ops of GROUP, which
//   models load that have one of these over codes. `linearOfCodes` lowers Linear over codes where its
//   group is there, whatever the op's own rule, and `gemmPlain` writes Gemm with other ops.
// - src/train/ops has what only training has, and what training has in place of an op of models.
// - src/train/gradients exports gradient rules, src/formats/onnx/convert-*.ts conversions and export-*.ts the ways back of ops to ONNX, under
//   the names of ops. A conversion of another domain stands in a table of convert-*.ts, `export const octetteConversions`.

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { options, root } from "./esbuild.js";

/** Scripts of a folder, by the path from the root without the ending. */
async function filesOf(folder, pattern = /\.ts$/) {
  const entries = await readdir(root + folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map(({ name }) => `${folder}/${name.replace(/\.ts$/, "")}`);
}

/** The group that every runtime has. */
const CORE = "core";

/** Folders of src/ops, each a group, without the core. */
async function groupFolders() {
  const entries = await readdir(`${root}src/ops`, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== CORE)
    .map(({ name }) => name)
    .sort();
}

/** The group of the core's kernels that are imported where a plan calls one of them. */
const CALLED = "floats";

/** Groups that have kernels of their own: modules of wasm beside that of the core. */
export async function groupsWithKernels() {
  const entries = await readdir(`${root}assembly`);
  return [CALLED, ...(await groupFolders()).filter((group) => entries.includes(`${group}.ts`))];
}

/** Groups that few models need: the toolkit imports their kernels later, and those that are compiled for each engine class. */
const LATER = ["language", "packed", "recurrent", "sampling", "windows"];

/** Groups with kernels that are compiled for each engine class. */
export async function classedGroups() {
  const entries = await readdir(`${root}assembly`);
  return entries.filter((name) => name.endsWith("-class.ts")).map((name) => name.replace("-class.ts", ""));
}

/** The group whose ops a group of kernels alone has, over codes. */
const groupOverCodes = (group) => group.replace(/Int8$/, "");

/** Names of their modules: that of the group and of the class. */
export const modulesOfClasses = (group) =>
  ["Baseline", "Extmul", "Relaxed"].map((engineClass) => `${group}${engineClass}`);

/** What every file exports: pairs of a file and its module. */
async function modulesOf(files) {
  const { outputFiles } = await build({
    ...options,
    stdin: {
      contents: files.map((file, i) => `export * as file${i} from "./${file}";`).join("\n"),
      resolveDir: root,
    },
    write: false,
  });
  const text = Buffer.from(outputFiles[0].text).toString("base64");
  const modules = await import(`data:text/javascript;base64,${text}`);
  return files.map((file, i) => [file, modules[`file${i}`]]);
}

const nameOf = (own) => own[0].toUpperCase() + own.slice(1);
const byName = (a, b) => (a.name < b.name ? -1 : 1);

/** Exports of a kind, under the names of ops and in their order. */
function exportsOf(modules, isWanted) {
  const all = modules.flatMap(([file, module]) =>
    Object.entries(module)
      .map(([own, value]) => ({ name: nameOf(own), own, file, value }))
      .filter(isWanted),
  );
  const sorted = all.sort(byName);
  const twice = sorted.find(({ name }, i) => name === sorted[i + 1]?.name);
  if (twice) throw new Error(`${twice.own} is exported twice, by ${twice.file} and another file`);
  return sorted;
}

const isOp = ({ value }) => typeof value?.infer === "function";
/** What lowers an op over codes where its group is there: `linearOfCodes` that of Linear. */
const isOfCodes = ({ own, value }) => own.endsWith("OfCodes") && typeof value?.lowerInteger === "function";
const opOfCodes = ({ name }) => name.replace(/OfCodes$/, "");
/** What writes an op with others: `gemmPlain` for Gemm. */
const isPlain = ({ own, value }) => own.endsWith("Plain") && typeof value === "function";
const isFunction = ({ value }) => typeof value === "function";
/** Conversions by the names of operators in other domains. */
const isConversionTable = ({ own, value }) => own.endsWith("Conversions") && typeof value === "object";

const importsOf = (entries) =>
  entries.map(({ name, own, file }) => `import { ${own} as ${name} } from "../../${file}";\n`).join("");
const listOf = (entries) => entries.map(({ name }) => name).join(", ");
const rulesOf = (entries) => entries.map((rule) => `${opOfCodes(rule)}: ${rule.name}`).join(", ");
const wasmOf = (names) => names.map((name) => `import ${name} from "../wasm/${name}.wasm";\n`).join("");
const unionOf = (names) => names.map((name) => JSON.stringify(name)).join(" | ");

/** Writes a file, unless it is what it would be: whoever watches it is not woken. */
async function write(name, text) {
  const path = `${root}build/groups/${name}`;
  if ((await readFile(path, "utf8").catch(() => "")) !== text) await writeFile(path, text);
}

/** The core, the other groups, how each is imported, and all ops with what the toolkit knows of them. */
async function writeOps(groups, withKernels, classed) {
  const coreModules = await modulesOf(await filesOf(`src/ops/${CORE}`));
  const core = exportsOf(coreModules, isOp);
  await write("core.ts", `${importsOf(core)}\nexport const core = { ${listOf(core)} };\n`);
  const all = [...core];
  const allOfCodes = [];
  const plain = exportsOf(coreModules, isPlain);
  await write(
    `${CALLED}.ts`,
    `${wasmOf([CALLED])}\nexport const ops = {};\nexport const wasm = { ${CALLED} };\n`,
  );
  const later = [`  ${CALLED}: { names: [], isCalled: true, load: () => import("./${CALLED}") },\n`];
  for (const group of groups) {
    const modules = await modulesOf(await filesOf(`src/ops/${group}`));
    const ops = exportsOf(modules, isOp);
    const ofCodes = exportsOf(modules, isOfCodes);
    all.push(...ops);
    allOfCodes.push(...ofCodes);
    plain.push(...exportsOf(modules, isPlain));
    const wasm = [
      ...(withKernels.includes(group) ? [group] : []),
      ...(classed.includes(group) ? modulesOfClasses(group) : []),
    ];
    const rules = ofCodes.length > 0 ? `export const ofCodes = { ${rulesOf(ofCodes)} };\n` : "";
    await write(
      `${group}.ts`,
      `${importsOf([...ops, ...ofCodes])}${wasmOf(wasm)}
export const ops = { ${listOf(ops)} };
${rules}export const wasm = { ${wasm.join(", ")} };
`,
    );
    const names = ops.map(({ name }) => `"${name}"`).join(", ");
    const coded = ofCodes.map((rule) => `"${opOfCodes(rule)}"`).join(", ");
    const also = coded ? ` ofCodes: [${coded}],` : "";
    later.push(`  ${group}: { names: [${names}],${also} load: () => import("./${group}") },\n`);
  }
  for (const group of classed.filter((name) => !groups.includes(name))) {
    const wasm = modulesOfClasses(group);
    await write(
      `${group}.ts`,
      `${wasmOf(wasm)}\nexport const ops = {};\nexport const wasm = { ${wasm.join(", ")} };\n`,
    );
    const own = all.filter(({ file }) => file.startsWith(`src/ops/${groupOverCodes(group)}/`));
    const names = own.map(({ name }) => `"${name}"`).join(", ");
    later.push(`  ${group}: { names: [], overCodes: [${names}], load: () => import("./${group}") },\n`);
  }
  all.sort(byName);
  await write("later.ts", `export const later = {\n${later.join("")}};\n`);
  await write(
    "all.ts",
    `${importsOf([...all, ...allOfCodes])}import type { Op } from "../../src/ops/op";

export { ${listOf(all)} };
export const registry = { ${listOf(all)} } satisfies Record<string, Op>;
/** What lowers some of them over codes in all ways, with the kernels of groups. */
export const ofCodes: Readonly<Record<string, Partial<Op>>> = { ${rulesOf(allOfCodes)} };
`,
  );
  const rules = plain.map((rule) => `${rule.name.replace(/Plain$/, "")}: ${rule.name}`).join(", ");
  await write(
    "plain.ts",
    `${importsOf(plain)}import type { PlainRule } from "../../src/ops/steps";

export const plain: Readonly<Record<string, PlainRule>> = { ${rules} };
`,
  );
  const traits = all.map((op) => ({ ...op, own: `${op.own}Traits` }));
  await write(
    "traits.ts",
    `${importsOf(traits)}import type { Traits } from "../../src/ops/op";

export const traits = { ${listOf(all)} } satisfies Record<string, Traits>;
`,
  );
  return all;
}

/** Modules of kernels: their types, and their bytes within the script. */
async function writeModules(withKernels, classed) {
  const modules = ["class", "common", ...withKernels, ...classed.map((group) => `${group}-class`), "train"];
  const nameFor = (module) => `${module.replace("-c", "C")}Kernels`;
  await write(
    "kernels.ts",
    `${modules.map((name) => `import type * as ${nameFor(name)} from "../abi/${name}";\n`).join("")}
export type Kernels = ${modules.map((name) => `typeof ${nameFor(name)}`).join(" & ")};
`,
  );
  const names = [...withKernels, ...classed.flatMap(modulesOfClasses)];
  const list = names.join(", ");
  await write(
    "modules.ts",
    `${wasmOf(names)}
export { ${list} };
export const groupModules = { ${list} };
`,
  );
  const core = "baseline, common, extmul, relaxed";
  const importCore = `import { ${core} } from "../../src/engine/core-inlined";\n`;
  await write(
    "inlined.ts",
    `${importCore}import { ${list} } from "./modules";

export { ${core}, ${list} };
/** Every engine class and every op group. */
export const inlined = { ${core}, ${list} };
`,
  );
  const later = [...LATER, ...classed.flatMap(modulesOfClasses)];
  const first = withKernels.filter((name) => !LATER.includes(name));
  await write("later-modules.ts", `${wasmOf(later)}\nexport { ${later.join(", ")} };\n`);
  await write(
    "carried.ts",
    `${importCore}${wasmOf(first)}
/** Modules that the toolkit has from the start. */
export const carried = { ${core}, ${first.join(", ")} };

/** Names of the others. */
export const laterNames: readonly string[] = [${later.map((name) => `"${name}"`).join(", ")}];
/** Imports them. */
export const importLater = (): Promise<Readonly<Record<string, Uint8Array>>> => import("./later-modules");
`,
  );
}

/** What becomes of operators in files: the same op, unless there is a conversion or the op is not ONNX's. */
async function writeConversions(ops, traitsOf) {
  const conversionsIn = async (folder) =>
    modulesOf(await filesOf(`src/formats/onnx${folder}`, /^convert-.*\.ts$/));
  const modules = await conversionsIn("");
  const own = exportsOf(modules, isFunction);
  const tables = exportsOf(modules, isConversionTable);
  const microsoft = exportsOf(await conversionsIn("/microsoft"), isFunction).map((entry) => ({
    ...entry,
    operator: entry.name,
    name: `microsoft${entry.name}`,
  }));
  const names = new Set(own.map(({ name }) => name));
  const same = ops
    .filter((op) => !names.has(op.name) && traitsOf(op)?.onnx !== false)
    .map(({ name }) => `${name}: same`);
  await write(
    "conversions.ts",
    `${importsOf([...own, ...tables, ...microsoft])}import { type Conversion, same } from "../../src/formats/onnx/source";

/** Operators of the domain "" (also written "ai.onnx"), opset 7 and later, and those of other domains as "domain.Operator". */
export const conversions: Readonly<Record<string, Conversion>> = { ${[
      listOf(own),
      ...same,
      ...tables.map(({ name }) => `...${name}`),
      ...microsoft.map(({ operator, name }) => `"com.microsoft.${operator}": ${name}`),
    ].join(", ")} };
`,
  );
}

/** How ops are written to ONNX: as they are, unless there is a way of their own or the op is not ONNX's. */
async function writeWays(ops, traitsOf) {
  const files = await filesOf("src/formats/onnx", /^export-.*\.ts$/);
  const known = new Set(ops.map(({ name }) => name));
  const own = exportsOf(await modulesOf(files), (entry) => isFunction(entry) && known.has(entry.name));
  const names = new Set(own.map(({ name }) => name));
  const same = ops
    .filter((op) => !names.has(op.name) && traitsOf(op)?.onnx !== false)
    .map(({ name }) => `${name}: asItIs`);
  await write(
    "ways.ts",
    `${importsOf(own)}import type { Ways } from "../../src/formats/onnx/target";
import { asItIs } from "../../src/formats/onnx/ways";

/** How each op is written to ONNX. */
export const ways: Ways = { ${[listOf(own), ...same].join(", ")} };
`,
  );
}

/** Ops of training, and gradient rules: one for every op whose traits do not say that it has none. */
async function writeTraining(ops, traitsOf) {
  const own = exportsOf(await modulesOf(await filesOf("src/train/ops")), isOp);
  await write(
    "training.ts",
    `${importsOf(own)}import type { Op } from "../../src/ops/op";

export const trainingOps = { ${listOf(own)} } satisfies Record<string, Op>;
`,
  );
  const known = new Set([...ops, ...own].map(({ name }) => name));
  const files = await filesOf("src/train/gradients");
  const rules = exportsOf(await modulesOf(files), (entry) => isFunction(entry) && known.has(entry.name));
  const differentiable = ops.filter((op) => traitsOf(op)?.gradient !== "none").map(({ name }) => name);
  const ofTraining = rules.map(({ name }) => name).filter((name) => ops.every((op) => op.name !== name));
  await write(
    "gradients.ts",
    `${importsOf(rules)}import type { Rule } from "../../src/train/gradients/rule";

/** Ops that a gradient passes: all but those whose traits say that none does. */
export type DifferentiableOp = ${unionOf(differentiable)};
export const gradients: Readonly<Record<DifferentiableOp${ofTraining.map((name) => ` | "${name}"`).join("")}, Rule>> = { ${listOf(rules)} };
`,
  );
}

/** Writes all tables. */
export async function writeTables() {
  const [groups, withKernels, classed] = await Promise.all([
    groupFolders(),
    groupsWithKernels(),
    classedGroups(),
  ]);
  await mkdir(`${root}build/groups`, { recursive: true });
  await writeModules(withKernels, classed);
  const ops = await writeOps(groups, withKernels, classed);
  const rooms = new Map(await modulesOf([...new Set(ops.map(({ file }) => file))]));
  const traitsOf = ({ file, own }) => rooms.get(file)[`${own}Traits`];
  await writeConversions(ops, traitsOf);
  await writeWays(ops, traitsOf);
  await writeTraining(ops, traitsOf);
}

if (process.argv[1] === import.meta.filename) await writeTables();
