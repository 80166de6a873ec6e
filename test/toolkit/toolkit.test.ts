// What the toolkit says to models that are none: a slip ends in a sentence, not in a TypeError.

import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { tensor } from "../../src/graph/tensor";
import { importOnnx, load, loadSync, save } from "../../src/index";
import { createToolkit } from "../../src/toolkit/create-toolkit";
import { denseGraph } from "../check-model";
import { GraphBuilder } from "../graph-builder";

const graph = denseGraph({ k: 3, n: 2, mode: "float" });

test.each([
  [
    "a path for bytes",
    () => importOnnx("digits.onnx" as never),
    /expected a Uint8Array.*got string.*load\(\)/,
  ],
  ["no bytes", () => importOnnx(new Uint8Array(), { name: "digits" }), /^digits: is too short.*got 0 bytes/],
  ["too few", () => loadSync(Uint8Array.of(1, 2, 3, 4)), /is too short for a model/],
  ["an .octette", () => importOnnx(save(graph)), /is an \.octette.*load\(\) runs it/],
])("importOnnx, %s", (_, attempt, message) => {
  expect(attempt).toThrow(expect.objectContaining({ message: expect.stringMatching(message) }));
});

test("a module is compiled once for all that the toolkit does, and runtimeInfo is of the engine that runs it", async () => {
  const sizes: number[] = [];
  vi.stubGlobal("WebAssembly", {
    ...Object.fromEntries(
      Object.getOwnPropertyNames(WebAssembly).map((name) => [name, WebAssembly[name as "Module"]]),
    ),
    Module: new Proxy(WebAssembly.Module, {
      construct(target, [bytes]: [Uint8Array<ArrayBuffer>]) {
        sizes.push(bytes.length);
        return new target(bytes);
      },
    }),
  });
  try {
    vi.resetModules();
    const fresh = await import("../../src/index");
    const graph = fresh.importOnnx(
      readFileSync(new URL("../../examples/digits/digits.onnx", import.meta.url)),
    );
    for (let round = 0; round < 2; round++) {
      const { graph: quantized } = await fresh.quantize(graph, { mode: "dynamic" });
      const model = fresh.loadSync(fresh.save(quantized));
      expect(fresh.runtimeInfo()).toMatchObject({
        engineClass: model.engine.engineClass,
        reason: model.engine.reason,
      });
      model.dispose();
    }
  } finally {
    vi.unstubAllGlobals();
  }
  const large = sizes.filter((bytes) => bytes > 10_000);
  expect(large.length).toBeGreaterThan(0);
  expect(new Set(large).size).toBe(large.length);
});

test.each([
  ["GlobalLpPool", { p: 2 }, {}],
  ["GridSample", {}, { grid: tensor("f32", [1, 2, 2, 2], [-1, -1, 0.5, 0, 0, 0.25, 1, 1]) }],
])("%s, whose kernels few models call, has them from its first load on where there are no files of the package", async (op, attributes, constants) => {
  const toolkit = createToolkit({});
  const builder = new GraphBuilder(1);
  const inputs = [builder.input("x", [1, 2, 3, 3])];
  for (const [name, value] of Object.entries(constants)) inputs.push(builder.constant(name, value));
  builder.node(op, inputs, "y", attributes);
  const graph = builder.build("y");
  const missing = expect.objectContaining({
    code: "unsupported",
    hint: "Call await preload() once before, or take the asynchronous load()",
  });
  expect(() => loadSync(graph, { toolkit })).toThrow(missing);
  expect(() => save(graph, { toolkit })).toThrow(missing);
  using model = await load(graph, { toolkit });
  using same = loadSync(graph, { toolkit });
  const x = Array.from({ length: 18 }, (_, i) => i);
  const feeds = { x: tensor("f32", [1, 2, 3, 3], x) };
  expect(same.runSync(feeds)).toEqual(model.runSync(feeds));
});
