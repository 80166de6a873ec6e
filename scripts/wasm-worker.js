// Compiles modules in a thread of scripts/wasm.js, one a message: loading the compilers takes longer than most modules.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parentPort } from "node:worker_threads";
import { main } from "assemblyscript/asc";
import binaryen from "binaryen";
import { withGlobals } from "./constants.js";
import { root } from "./esbuild.js";
import { FEATURES, wasmOf } from "./wasm-text.js";

const FLAGS =
  "--runtime stub --importMemory --maximumMemory 65536 --noAssert --optimizeLevel 3 --shrinkLevel 0 --enable simd --use abort= --disableWarning 112";

/** Options of binaryen that asc sets and leaves so, as they are before. */
const OPTIONS = [
  "ClosedWorld",
  "LowMemoryUnused",
  "ZeroFilledMemory",
  "FastMath",
  "GenerateStackIR",
  "OptimizeStackIR",
  "AlwaysInlineMaxSize",
  "FlexibleInlineMaxSize",
  "OneCallerInlineMaxSize",
  "AllowInliningFunctionsWithLoops",
].map((name) => [name, binaryen[`get${name}`]()]);

/** What asc makes of a source. */
async function compile(source, flags) {
  let wasm;
  const { error, stderr } = await main(
    [`assembly/${source}.ts`, "--baseDir", root, "-o", "module.wasm", ...FLAGS.split(" "), ...flags],
    { writeFile: (_, contents) => void (wasm = contents) },
  );
  if (error) throw new Error(`${stderr}${error.message}`);
  return wasm;
}

/** A few bytes are fewer than after asc's own optimization, which runs the same passes. */
function optimize(wasm) {
  for (const [name, value] of OPTIONS) binaryen[`set${name}`](value);
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(0);
  const optimized = binaryen.readBinary(wasm);
  optimized.setFeatures(FEATURES);
  optimized.optimize();
  optimized.runPasses(["strip-debug"]);
  const text = optimized.emitText();
  optimized.dispose();
  return wasmOf(withGlobals(text));
}

parentPort.on("message", async ({ name, source, flags = [] }) => {
  try {
    const wasm = await compile(source, flags);
    const file = `${root}build/${name}.wasm`;
    await mkdir(dirname(file), { recursive: true });
    // Ceilings are measured as asc leaves them: their sums stay in registers.
    await writeFile(file, name.startsWith("ceiling/") ? wasm : optimize(wasm));
    parentPort.postMessage(undefined);
  } catch (failure) {
    parentPort.postMessage(failure.message);
  }
});
