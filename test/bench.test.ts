// What the benches run: models that octette runs, and that go to others as ONNX files without a change.

import { describe, expect, test } from "vitest";
import { floatLayer, int8Layer, layers, models, moves } from "../bench/graphs.js";
import { writeOnnx } from "../bench/onnx.js";
import { seededFeeds } from "../src/engine/self-test";
import type { Graph } from "../src/graph/graph";
import { importOnnx, loadSync, quantize } from "../src/index";

/** Outputs and kernels of a graph. */
function run(graph: Graph) {
  const model = loadSync(graph);
  const outputs = Object.values(model.runSync(seededFeeds(graph.inputs, 1)));
  const kernels = model.plan.steps.map(({ kernel }) => kernel);
  model.dispose();
  return { outputs, kernels, types: model.outputs };
}

function sameAsOnnx(graph: Graph) {
  const { types, ...here } = run(graph);
  const { types: _, ...there } = run(importOnnx(writeOnnx(graph, types)));
  expect(there).toEqual(here);
  return here;
}

describe.each(Object.entries(layers))("%s", (name, layer) => {
  test("over floats", () => void sameAsOnnx(floatLayer(name, layer)));
  test("over codes that fill their range", () => {
    const { outputs, kernels } = sameAsOnnx(int8Layer(name, layer));
    expect(kernels.some((kernel) => kernel.includes("Int8"))).toBe(true);
    const codes = outputs[0]!.data;
    const clamped = codes.filter((code) => code === 0 || code === 255).length / codes.length;
    expect([...new Set(codes)].length).toBeGreaterThan(50);
    expect(clamped).toBeLessThan(0.1);
  });
});

test.each(Object.entries(moves))("%s", (_, graph) => void sameAsOnnx(graph));

test.each(Object.entries(models))("%s, float and quantized", async (_, graph) => {
  sameAsOnnx(graph);
  const calibration = [seededFeeds(graph.inputs, 1)];
  const { graph: int8, summary } = await quantize(graph, { calibration });
  expect(summary.layers.filter(({ quantized }) => !quantized)).toEqual([]);
  sameAsOnnx(int8);
});
