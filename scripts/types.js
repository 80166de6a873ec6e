// Declarations of the package's entries, bundled from one program. Those of octette/ops and octette/wasm are names, nearly all of one
// type; octette/create-runtime is a part of octette/runtime. And in all, arrays of bytes as compilers before TypeScript 5.7 know
// them, too, to which Uint8Array is not generic.

import { writeFile } from "node:fs/promises";
import { generateDtsBundle } from "dts-bundle-generator";
import { root } from "./esbuild.js";

const declarations = {
  ops: { type: "Op", from: 'import type { Op, Registry } from "./runtime.js";' },
  wasm: { type: "Uint8Array", from: 'import type { Carried, KernelClass, WasmSource } from "./runtime.js";' },
};
const classOf = "(wasm: WasmSource) => KernelClass";
const others = {
  registry: "Registry",
  inlined: "Carried",
  extmul: "KernelClass",
  relaxed: "KernelClass",
  extmulClass: classOf,
  relaxedClass: classOf,
};

for (const [entry, { type, from }] of Object.entries(declarations)) {
  const names = Object.keys(await import(`${root}build/${entry}.js`));
  const lines = names.map((name) => `export declare const ${name}: ${others[name] ?? type};`);
  await writeFile(`${root}build/${entry}.d.ts`, `${[from, ...lines].join("\n")}\n`);
}

const names = Object.keys(await import(`${root}build/create-runtime.js`));
await writeFile(
  `${root}build/create-runtime.d.ts`,
  `export { ${names.join(", ")} } from "./runtime.js";\nexport type * from "./runtime.js";\n`,
);

const entries = {
  index: "src/index.ts",
  runtime: "src/runtime.ts",
  "create-toolkit": "src/create-toolkit.ts",
  nn: "src/nn/index.ts",
  text: "src/text/index.ts",
  tflite: "src/tflite.ts",
};
const bundles = generateDtsBundle(
  Object.values(entries).map((file) => ({
    filePath: root + file,
    output: { noBanner: true, exportReferencedTypes: false },
  })),
  { preferredConfigPath: `${root}tsconfig.json` },
);
for (const [i, entry] of Object.keys(entries).entries()) {
  const text = bundles[i].replaceAll("Uint8Array<ArrayBuffer>", 'ReturnType<Uint8Array["slice"]>');
  // Symbol.dispose, which a user's own list of libraries need not have.
  await writeFile(`${root}build/${entry}.d.ts`, `/// <reference lib="esnext.disposable" />\n${text}`);
}
