// What a benchmark reports must fit together; how fast anything is, no test asserts.

import { expect, test } from "vitest";
import { seededFeeds } from "../../src/engine/self-test";
import { loadSync } from "../../src/index";
import { benchmark, MIN_ROUNDS } from "../../src/report/benchmark";
import { type Arithmetic, createCeiling } from "../../src/report/ceiling";
import { GraphBuilder } from "../graph-builder";

function dense() {
  const graph = new GraphBuilder();
  const x = graph.input("x", ["batch", 24]);
  const y = graph.node("Linear", [x, graph.floats("w", [40, 24], 1)], "y");
  return graph.build(graph.node("Relu", [graph.node("Neg", [y], "z")], "r"));
}

test("the whole and its steps", async () => {
  const graph = dense();
  const model = loadSync(graph, { maxima: { batch: 3 } });
  const feeds = seededFeeds(graph.inputs, 1, { batch: 3 });
  const parts: number[] = [];
  const result = await benchmark(model, {
    feeds,
    seconds: 0.01,
    profile: true,
    onProgress: ({ done, total }) => parts.push(done / total!),
  });
  const { microseconds, macs, profile } = result;
  expect(macs).toBe(3 * 24 * 40);
  expect(result.rounds).toBeGreaterThanOrEqual(MIN_ROUNDS);
  expect(microseconds.p10).toBeLessThanOrEqual(microseconds.median);
  expect(microseconds.median).toBeLessThanOrEqual(microseconds.p90);
  expect(result.runsPerSecond * microseconds.median).toBeCloseTo(1e6);
  expect(result.gmacsPerSecond * microseconds.median * 1000).toBeCloseTo(macs);
  expect(parts.at(-1)).toBe(1);

  const [product, ...others] = profile!.steps;
  expect(product).toMatchObject({ macs, arithmetic: "f32" });
  expect(product!.ofCeiling).toBeCloseTo((100 * product!.gmacsPerSecond!) / profile!.ceilings.f32);
  for (const step of others) expect(step).not.toHaveProperty("gmacsPerSecond");
  expect(profile!.steps.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(100);
  model.dispose();
});

test("a signal stops it", async () => {
  const model = loadSync(dense());
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("enough")), 20);
  await expect(benchmark(model, { signal: controller.signal })).rejects.toThrow("enough");
  model.dispose();
});

test.each<Arithmetic>(["int8", "f32"])("the ceiling of %s counts what its loop does", (arithmetic) => {
  expect(createCeiling("baseline")(arithmetic)).toBeGreaterThan(0);
});
