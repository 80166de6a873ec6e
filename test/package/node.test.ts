// The package as users have it: its entries and types, wasm as files, a worker thread, no runtime dependencies.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { readNpz } from "../../src/formats/npz";
import { sizeOf, tensor } from "../../src/graph/tensor";
import { createDataset, importOnnx, loadSync, quantize, save, tune } from "../../src/index";
import { readExample } from "../examples";
import { GraphBuilder } from "../graph-builder";

const root = new URL("../../", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));

test("every export has a file and every module its types", () => {
  for (const entry of Object.values<Record<string, string> | string>(manifest.exports))
    for (const file of typeof entry === "object" ? Object.values(entry) : [entry.replace("*", "common.wasm")])
      expect(readFileSync(new URL(file, root)).length).toBeGreaterThan(0);
  for (const group of ["common", "baseline", "relaxed"])
    expect(WebAssembly.validate(readFileSync(new URL(`build/wasm/${group}.wasm`, root)))).toBe(
      group !== "relaxed" || relaxedSimd(),
    );
  expect(manifest.dependencies ?? {}).toEqual({});
});

/** (module (func (result v128) … i32x4.relaxed_trunc_f32x4_s)) validates where relaxed SIMD is on. */
function relaxedSimd(): boolean {
  return WebAssembly.validate(
    // biome-ignore format: one section a line
    Uint8Array.of(
      0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
      1, 5, 1, 0x60, 0, 1, 0x7b,
      3, 2, 1, 0,
      10, 15, 1, 13, 0, 0x41, 1, 0xfd, 15, 0x41, 2, 0xfd, 15, 0xfd, 0x80, 2, 0x0b,
    ),
  );
}

test("no script but the command line's names a module of Node in an import, which bundlers for pages stop at", () => {
  for (const entry of ["index", "runtime", "nn", "ops", "wasm", "thread-pool", "threads-worker"])
    for (const file of scriptsBehind(`${entry}.js`))
      expect(readFileSync(new URL(`build/${file}`, root), "utf8"), file).not.toMatch(
        /(from|import|import\() ?"node:/,
      );
});

/** A built script and those that it imports, whenever it does. */
function scriptsBehind(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(new URL(`build/${file}`, root), "utf8");
  for (const [, next] of text.matchAll(/(?:from|import|import\() ?"\.\/([\w-]+\.js)"/g))
    scriptsBehind(next!, seen);
  return seen;
}

test.each([
  ["LSTM", [1, 3, 2], { w: [1, 8, 2], r: [1, 8, 2] }, { hidden_size: 2 }],
  ["GlobalLpPool", [1, 2, 3, 3], {}, { p: 2 }],
] as const)("in Node, loadSync and save have the kernels of %s from files", async (op, shape, weights, attributes) => {
  const builder = new GraphBuilder(1);
  const inputs = [builder.input("x", [...shape])];
  for (const [name, own] of Object.entries(weights))
    inputs.push(builder.constant(name, tensor("f32", own, Array(16).fill(0.5))));
  builder.node(op, inputs, "y", attributes);
  const graph = builder.build("y");
  const { load, loadSync, save } = await import(new URL("build/index.js", root).href);
  const artifact = save(graph);
  const x = tensor(
    "f32",
    [...shape],
    Array.from({ length: sizeOf(shape) }, (_, i) => i / 8),
  );
  const early = loadSync(artifact).runSync({ x });
  expect(early).toEqual((await load(artifact)).runSync({ x }));
});

test("the built toolkit exports what the sources do", async () => {
  const built = await import(new URL("build/index.js", root).href);
  const source = await import("../../src/index");
  expect(Object.keys(built).sort()).toEqual(Object.keys(source).sort());
});

test.each([
  ["with the libraries of pages", "tsconfig.json"],
  ["with those of Node alone, and all declarations checked", "tsconfig.node.json"],
])("a program under strict options compiles against the declarations, %s", (_, config) => {
  const tsc = fileURLToPath(new URL("node_modules/typescript/bin/tsc", root));
  const project = fileURLToPath(new URL(`consumer/${config}`, import.meta.url));
  execFileSync(process.execPath, [tsc, "--project", project], { stdio: "pipe" });
});

test("a worker thread gives the same answer", async () => {
  const graph = importOnnx(await readExample("digits.onnx"));
  const image = Float32Array.from({ length: 64 }, (_, i) => ((i * 7) % 17) / 16);
  const { graph: int8 } = await quantize(graph, {
    calibration: Array.from({ length: 32 }, () => ({ image })),
  });
  const artifact = save(int8);
  const model = loadSync(artifact);
  const expected = [...model.runSync({ image }).logits!.data];
  model.dispose();
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    import(workerData.runtime).then(({ loadSync }) => {
      const { logits } = loadSync(workerData.artifact).runSync({ image: workerData.image });
      parentPort.postMessage([...logits.data]);
    });`;
  const runtime = new URL("build/runtime.js", root).href;
  expect(await answerOf(code, { runtime, artifact, image })).toEqual(expected);
});

test("a worker thread tunes to the same model", async () => {
  const graph = importOnnx(await readExample("digits_wild.onnx"), { name: "digits_wild" });
  const arrays = [...readNpz(await readExample("train.npz"))];
  const options = { bits: 2, epochs: 1, batch: 32, lr: 0.002 };
  const labels = arrays.find(([name]) => name === "labels")![1];
  const normalize = { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] } as const;
  const data = createDataset(new Map(arrays), graph.inputs, { labels, normalize }).take(192);
  const expected = save((await tune(graph, { ...options, data })).graph);
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    const { toolkit, graph, arrays, labels, normalize, options } = workerData;
    import(toolkit).then(async ({ createDataset, save, tune }) => {
      const data = createDataset(new Map(arrays), graph.inputs, { labels, normalize }).take(192);
      parentPort.postMessage(save((await tune(graph, { ...options, data })).graph));
    });`;
  const toolkit = new URL("build/index.js", root).href;
  const tuned = await answerOf(code, { toolkit, graph, arrays, labels, normalize, options });
  expect(Buffer.from(tuned as Uint8Array).equals(expected)).toBe(true);
});

/** What a worker that runs this code says first. */
async function answerOf(code: string, workerData: unknown): Promise<unknown> {
  const worker = new Worker(code, { eval: true, workerData });
  try {
    return await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  } finally {
    await worker.terminate();
  }
}
