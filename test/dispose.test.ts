// Whatever holds wasm memory lets go of it by Symbol.dispose, which `using` calls; engines without that symbol lose nothing else.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { importOnnx, loadSync, save } from "../src/index";
import { Linear, trainable } from "../src/nn/index";
import { load as loadOfRuntime } from "../src/runtime/index";
import { toolkit } from "../src/toolkit/toolkit";
import { train } from "../src/train/inlined";
import { Trainer } from "../src/train/run/trainer";
import { createOptimizer } from "../src/train/step/optimizers";
import { parametersOf } from "../src/train/step/prepare";
import { readExample } from "./examples";

const graph = importOnnx(await readExample("digits.onnx"));
const feeds = { [graph.inputs[0]!.name]: new Float32Array(64) };

test.each([
  ["a model of the toolkit", () => loadSync(graph)],
  ["a model of octette/runtime", () => loadOfRuntime(save(graph))],
])("%s", async (_, load) => {
  const kept = await load();
  {
    using model = kept;
    model.runSync(feeds);
  }
  expect(() => kept.runSync(feeds)).toThrow(expect.objectContaining({ code: "disposed" }));
  kept[Symbol.dispose]();
});

test("a model that is trained", () => {
  const kept = trainable(new Linear(2, 2));
  {
    using trained = kept;
    trained.forward(new Float32Array(2));
  }
  expect(kept.bytes).toBe(0);
});

test("a trainer", () => {
  const { engine } = toolkit.carry({ train });
  const optimizer = createOptimizer({ kind: "sgd", lr: 0.1 });
  const losses = [{ kind: "crossEntropy" }] as const;
  const kept = new Trainer(graph, parametersOf(graph), {
    losses,
    optimizer,
    keepsGradients: false,
    batch: 1,
    engine,
  });
  {
    using trainer = kept;
    expect(trainer.states.length).toBeGreaterThan(0);
  }
  expect(() => kept.state(kept.states[0]!)).toThrow(expect.objectContaining({ code: "disposed" }));
});

test("an engine without Symbol.dispose imports, runs and disposes", async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../build/runtime.js", import.meta.url))],
    define: { "Symbol.dispose": "undefined" },
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
  });
  const folder = await mkdtemp(join(tmpdir(), "octette-dispose-"));
  try {
    const script = join(folder, "runtime.mjs");
    await writeFile(script, outputFiles[0]!.contents);
    const older: typeof import("../src/runtime/index") = await import(pathToFileURL(script).href);
    const model = await older.load(save(graph));
    expect(model[Symbol.dispose]).toBeUndefined();
    expect(model.runSync(feeds)).toEqual(loadSync(graph).runSync(feeds));
    model.dispose();
  } finally {
    await rm(folder, { recursive: true });
  }
});
