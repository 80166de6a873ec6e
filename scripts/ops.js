// Writes the tables of ops to build/groups/. Each folder of src/ops is a group, src/ops itself is the core, and an op is what a
// file there exports with a rule `infer`: `export const argMax` is ArgMax, and `argMaxTraits` are its traits.

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { options, root } from "./esbuild.js";

const MADE_OF_TABLES = ["index.ts", "toolkit.ts"];

/** Files of a group, by the path from the root without the ending. */
async function filesOf(group) {
  const folder = group === "core" ? "src/ops" : `src/ops/${group}`;
  const entries = await readdir(root + folder, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !MADE_OF_TABLES.includes(entry.name));
  return files.map(({ name }) => `${folder}/${name.replace(/\.ts$/, "")}`);
}

/** ONNX names of the ops that each file exports, with the exports' own names. */
async function opsIn(files) {
  const { outputFiles } = await build({
    ...options,
    stdin: {
      contents: files.map((file, i) => `export * as file${i} from "./${file}";`).join("\n"),
      resolveDir: root,
    },
    write: false,
  });
  const modules = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString("base64")}`
  );
  const ops = files.flatMap((file, i) =>
    Object.entries(modules[`file${i}`])
      .filter(([, value]) => typeof value?.infer === "function")
      .map(([own]) => ({ name: own[0].toUpperCase() + own.slice(1), own, file })),
  );
  return ops.sort(byName);
}

const byName = (a, b) => (a.name < b.name ? -1 : 1);
const importsOf = (ops) =>
  ops.map(({ name, own, file }) => `import { ${own} as ${name} } from "../../${file}";\n`).join("");
const listOf = (ops) => ops.map(({ name }) => name).join(", ");

/** Writes a file, unless it is what it would be: whoever watches it is not woken. */
async function write(name, text) {
  const path = `${root}build/groups/${name}`;
  if ((await readFile(path, "utf8").catch(() => "")) !== text) await writeFile(path, text);
}

/** Writes all tables, and gives the file of each op. */
export async function writeTables() {
  const folders = (await readdir(`${root}src/ops`, { withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  );
  const groups = folders.map(({ name }) => name).sort();
  const modules = await readdir(`${root}assembly`);
  await mkdir(`${root}build/groups`, { recursive: true });
  const all = await opsIn(await filesOf("core"));
  await write("core.ts", `${importsOf(all)}\nexport const core = { ${listOf(all)} };\n`);
  const later = [];
  for (const group of groups) {
    const ops = await opsIn(await filesOf(group));
    all.push(...ops);
    const hasKernels = modules.includes(`${group}.ts`);
    const wasm = hasKernels ? `import ${group} from "../wasm/${group}.wasm";\n` : "";
    const text = `${importsOf(ops)}${wasm}\nexport const ops = { ${listOf(ops)} };\nexport const wasm = { ${hasKernels ? group : ""} };\n`;
    await write(`${group}.ts`, text);
    const names = ops.map(({ name }) => `"${name}"`).join(", ");
    later.push(`  ${group}: { names: [${names}], load: () => import("./${group}") },\n`);
  }
  all.sort(byName);
  await write("later.ts", `export const later = {\n${later.join("")}};\n`);
  await write(
    "all.ts",
    `${importsOf(all)}import type { Op } from "../../src/ops/op";

export { ${listOf(all)} };
export const registry = { ${listOf(all)} } satisfies Record<string, Op>;
`,
  );
  const traits = all.map((op) => ({ ...op, own: `${op.own}Traits` }));
  await write(
    "traits.ts",
    `${importsOf(traits)}import type { Traits } from "../../src/ops/op";

export const traits = { ${listOf(all)} } satisfies Record<string, Traits>;
`,
  );
  return Object.fromEntries(all.map(({ name, file }) => [name, `${file}.ts`]));
}

if (process.argv[1] === import.meta.filename) await writeTables();
