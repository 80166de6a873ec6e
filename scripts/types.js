// Declarations of the package's entries. One bundle has every type once, and the entries name what they export of it: a Model of
// octette/runtime is a Model of octette. Those of octette/ops and octette/wasm are names, nearly all of one type;
// octette/create-runtime is a part of octette/runtime.

import { writeFile } from "node:fs/promises";
import { rollup } from "rollup";
import dts from "rollup-plugin-dts";
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

// The scripts of workers, which export nothing.
await writeFile(`${root}build/worker-script.d.ts`, "export {};\n");

const entries = {
  index: `${root}src/index.ts`,
  runtime: `${root}src/runtime/index.ts`,
  "create-toolkit": `${root}src/toolkit/create-toolkit.ts`,
  "quantize-language": `${root}src/quantize-language.ts`,
  nn: `${root}src/nn/index.ts`,
  pictures: `${root}src/pictures/index.ts`,
  sound: `${root}src/sound/index.ts`,
  text: `${root}src/text/index.ts`,
  tflite: `${root}src/tflite.ts`,
  learner: `${root}src/learner/index.ts`,
};
const isEntry = new Set(Object.values(entries));

/** Types that only libraries of pages declare; never where a program is compiled without those. */
const PAGE_TYPES = /\b(ImageBitmap|VideoFrame|OffscreenCanvas|HTML(?:Canvas|Image|Video)Element)\b/g;
const ifThere = (object) => `(typeof globalThis extends ${object} ? T : never)`;
const withPages = (declaration) =>
  declaration
    .replace(PAGE_TYPES, (name) => ifThere(`{ ${name}: { prototype: infer T } }`))
    .replace("WebAssembly.Module", ifThere("{ WebAssembly: { Module: { prototype: infer T } } }"));

/**
 * For compilers before TypeScript 5.7, to which Uint8Array is not generic, and for lists of libraries without Symbol.dispose or without those
 * of pages.
 */
const portable = {
  name: "portable",
  renderChunk(code) {
    const text = code
      .replaceAll("Uint8Array<ArrayBuffer>", 'ReturnType<Uint8Array["slice"]>')
      .replace(/^type (WasmSource|PictureSource) = .*;$/gm, withPages);
    return `/// <reference lib="esnext.disposable" />\n${text}`;
  },
};

const bundle = await rollup({
  input: entries,
  plugins: [dts({ tsconfig: `${root}tsconfig.json` }), portable],
  // A type that an entry does not export is a finding of test/declarations.test.ts, with its way there.
  onwarn: (warning, warn) => /private shared type exports/.test(warning.message) || warn(warning),
});
await bundle.write({
  dir: `${root}build`,
  entryFileNames: "[name].d.ts",
  chunkFileNames: "types.d.ts",
  manualChunks: (file) => (isEntry.has(file) ? undefined : "types"),
  minifyInternalExports: false,
  hoistTransitiveImports: false,
});
await bundle.close();
