// Images of any size through one model: kernels take sizes as numbers, so that every size has a plan, with the weights of all in
// memory once.

import { describe, expect, test } from "vitest";
import { Model } from "../../src/engine/model";

import { Engine } from "../../src/engine/wasm";
import { OctetteError } from "../../src/errors";
import type { Graph } from "../../src/graph/graph";
import { tensor } from "../../src/graph/tensor";
import { benchmark, load, readArtifact, save, verify } from "../../src/index";
import { bound } from "../../src/ops/bound";
import { toolkitOps as registry } from "../../src/ops/toolkit";
import { expectSameBytes } from "../check-model";
import { GraphBuilder, randomOf } from "../graph-builder";
import { engineClasses, exactSources, withModel } from "./engines";

const engine = new Engine(exactSources);

/** Convolutions of all kinds, poolings and an addition of images whose sizes are computed in different ways. */
function pyramid(quantized: boolean): Graph {
  const b = new GraphBuilder(7);
  const x = b.input("x", ["batch", 3, "height", "width"]);
  const pads = [1, 1, 1, 1];
  const strided = { kernel_shape: [3, 3], strides: [2, 2], pads };
  const spread = { kernel_shape: [3, 3], group: 16, pads };
  if (quantized) {
    const layer = (op: string, inputs: Parameters<GraphBuilder["layer"]>[1], y: string, attributes = {}) =>
      b.layer(op, inputs, y, { attributes, range: b.range() });
    const stem = layer("Conv", [b.quantize(x), b.weights("w0", [16, 3, 3, 3], 0)], "stem", strided);
    const spatial = layer("Conv", [stem, b.weights("w1", [16, 1, 3, 3], 0)], "spatial", spread);
    const point = layer("Conv", [spatial, b.weights("w2", [16, 16, 1, 1], 0)], "point", {
      kernel_shape: [1, 1],
    });
    const sum = layer("Add", [stem, point], "sum");
    const pooled = layer("AveragePool", [sum], "pooled", { kernel_shape: [2, 2], strides: [2, 2] });
    b.dequantize(layer("GlobalAveragePool", [pooled], "mean"), "y");
    b.dequantize(pooled, "map");
  } else {
    const stem = b.node("Conv", [x, b.floats("w0", [16, 3, 3, 3], 1)], "stem", strided);
    const spatial = b.node("Conv", [stem, b.floats("w1", [16, 1, 3, 3], 1)], "spatial", spread);
    const point = b.node("Conv", [spatial, b.floats("w2", [16, 16, 1, 1], 1)], "point", {
      kernel_shape: [1, 1],
    });
    const sum = b.node("Add", [stem, point], "sum");
    b.node("MaxPool", [sum], "map", { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 });
    b.node("GlobalAveragePool", ["map"], "y");
  }
  return b.build("y", "map");
}

type Size = readonly [batch: number, height: number, width: number];
const feedsOf = ([batch, height, width]: Size) => {
  const { between } = randomOf(batch + 7 * height + 11 * width);
  const count = batch * 3 * height * width;
  return {
    x: tensor(
      "f32",
      [batch, 3, height, width],
      Array.from({ length: count }, () => between(-1, 1)),
    ),
  };
};

/** Results of the same graph with this size in its file. */
const expected = (graph: Graph, size: Size, engineClass = engineClasses[0]!) => {
  const [batch, height, width] = size;
  const fixed = bound(graph, registry, { height, width }) as Graph;
  return withModel(fixed, { engineClass, maxima: { batch } }, (model) => model.runSync(feedsOf(size)));
};

const { below } = randomOf(5);
const sizes: readonly Size[] = Array.from({ length: 25 }, () => [1 + below(2), 6 + below(40), 6 + below(40)]);

describe.each(engineClasses)("%s", (engineClass) => {
  test.each([
    "float",
    "int8",
  ])("25 sizes of a network of %s: as that of a file of this size, weights in memory once", (kind) => {
    const graph = pyramid(kind === "int8");
    withModel(graph, { engineClass, maxima: { batch: 2 } }, (model) => {
      const { constantBytes } = model.plan.memory;
      for (const size of sizes) {
        const result = model.runSync(feedsOf(size));
        for (const [name, output] of Object.entries(expected(graph, size, engineClass)))
          expectSameBytes(result[name], output, `${name} of ${size}`);
        expect(model.plan.memory.constantBytes).toBe(constantBytes);
        const packs = model.plan.own.flatMap(({ calls }) => calls.map(({ kernel }) => kernel));
        expect(packs).toEqual([]);
      }
    });
  });
});

test("an artifact of any size is saved, verified and benchmarked at the smallest size that it takes", async () => {
  const graph = pyramid(true);
  const bytes = save(graph);
  expect(await verify(bytes)).toBe(true);
  expect(await verify(bytes, { maxima: { height: 40, width: 24 } })).toBe(true);
  const model = await load(bytes);
  expect(model.sizes).toEqual({ height: 4, width: 4 });
  const { rounds } = await benchmark(model, { seconds: 0.01 });
  expect(rounds).toBeGreaterThan(0);
  expectSameBytes(model.runSync(feedsOf([2, 30, 22])).y, expected(graph, [2, 30, 22]).y!);
  model.dispose();
});

test.each([
  "batch",
  1,
])("layers of one pixel at the smallest size, batch %s: an artifact packs their weights once", async (batch) => {
  const b = new GraphBuilder(9);
  const x = b.input("x", [batch, 3, "height", "width"]);
  const layer = (op: string, inputs: Parameters<GraphBuilder["layer"]>[1], y: string, attributes = {}) =>
    b.layer(op, inputs, y, { attributes, range: b.range() });
  const strided = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
  const stem = layer("Conv", [b.quantize(x), b.weights("w0", [16, 3, 3, 3], 0)], "stem", strided);
  const point = layer("Conv", [stem, b.weights("w1", [40, 16, 1, 1], 0)], "point", { kernel_shape: [1, 1] });
  const mean = layer("GlobalAveragePool", [point], "mean");
  const last = [b.weights("w2", [33, 40, 1, 1], 0)];
  b.dequantize(layer("Conv", [mean, ...last], "last", { kernel_shape: [1, 1] }), "y");
  const graph = b.build("y");
  const model = await load(save(graph));
  for (const size of [
    [1, 4, 4],
    [1, 6, 22],
    [1, 1, 1],
    [1, 2, 2],
  ] as const) {
    expectSameBytes(model.runSync(feedsOf(size)).y, expected(graph, size).y!);
    expect(model.plan.own.flatMap(({ calls }) => calls)).toEqual([]);
    expect(model.plan.steps.map(({ kernel }) => kernel).at(-2)).toBe("gemvInt8");
  }
  model.dispose();
});

test("an artifact has the numbers that a larger size packs in another way", async () => {
  const b = new GraphBuilder(11);
  const x = b.input("x", ["batch", 3, "height", "width"]);
  const weights = b.floats("w", [8, 3, 2, 2], 0.5);
  const patches = b.node("Conv", [x, weights], "patches", { kernel_shape: [2, 2], strides: [2, 2] });
  const places = "div(height,2)*div(width,2)";
  const flat = b.node("Reshape", [patches], "flat", { shape: ["batch", 8, places] });
  const rows = b.node("Transpose", [flat], "rows", { perm: [0, 2, 1] });
  b.node("Add", [rows, b.floats("positions", [1, 6, 8], 1)], "y");
  const graph = b.build("y");
  const model = await load(save(graph));
  for (const size of [
    [1, 2, 2],
    [2, 4, 6],
    [1, 6, 4],
  ] as const)
    expectSameBytes(model.runSync(feedsOf(size)).y, expected(graph, size).y!);
  model.dispose();
});

test("an artifact that takes 3 elements along a symbol is tested with 4", async () => {
  const b = new GraphBuilder(2);
  b.multiple("TopK", [b.input("x", ["batch", "length"])], ["y", "at"], { k: [3], axis: 1 });
  const bytes = save(b.build("y", "at"));
  expect(readArtifact(bytes).selfTest).toBeDefined();
  expect(await verify(bytes)).toBe(true);
});

test("a size that was run before has the plan that it had", () => {
  withModel(pyramid(true), {}, (model) => {
    const planOf = (size: Size) => {
      model.runSync(feedsOf(size));
      return model.plan;
    };
    const [a, b] = [planOf([1, 12, 16]), planOf([1, 20, 8])];
    expect(planOf([1, 12, 16])).toBe(a);
    expect(planOf([1, 20, 8])).toBe(b);
    expect(b).not.toBe(a);
  });
});

test("outputs are told with their symbols, and a size that does not fit is an error", () => {
  const model = new Model(pyramid(false), registry, engine);
  expect(model.outputs.map(({ shape }) => shape)).toEqual([
    ["batch", 16, 1, 1],
    ["batch", 16, "div(1+height,4)", "div(1+width,4)"],
  ]);
  expect(() => model.runSync({ x: tensor("f32", [1, 3, 0, 9], []) })).toThrow(OctetteError);
  expect(model.runSync(feedsOf([1, 9, 9])).y!.shape).toEqual([1, 16, 1, 1]);
  model.dispose();
});

test("batches of two names that are as large as each other run whole", () => {
  const b = new GraphBuilder(3);
  const graph = b.build(b.node("Mul", [b.input("x", ["n", 3]), b.input("y", ["m", 3])], "z"));
  withModel(graph, {}, (model) => {
    for (const [n, m] of [
      [4, 4],
      [4, 1],
      [1, 4],
      [2, 2],
    ] as const) {
      const [x, y] = [n, m].map((rows) => Float32Array.from({ length: 3 * rows }, (_, i) => i + rows));
      const { z } = model.runSync({ x: tensor("f32", [n, 3], x!), y: tensor("f32", [m, 3], y!) });
      expect(z!.shape).toEqual([Math.max(n, m), 3]);
      expect([...z!.data]).toEqual(
        Array.from({ length: 3 * Math.max(n, m) }, (_, i) => x![i % (3 * n)]! * y![i % (3 * m)]!),
      );
    }
  });
});

test.each(["reflect", "edge", "wrap"])("a border of mode %s around an image of any size", (mode) => {
  const b = new GraphBuilder(3);
  const image = b.input("x", ["batch", 1, "height", "width"]);
  const graph = b.build(b.node("Pad", [image], "y", { mode, pads: [0, 0, 1, 2, 0, 0, 0, 1] }));
  const at = (i: number, size: number) => {
    if (mode === "edge") return Math.min(Math.max(i, 0), size - 1);
    return mode === "wrap" ? (i + size) % size : size - 1 - Math.abs(size - 1 - Math.abs(i));
  };
  withModel(graph, {}, (model) => {
    for (const [h, w] of [
      [3, 4],
      [5, 3],
      [3, 4],
    ] as const) {
      const x = tensor(
        "f32",
        [1, 1, h, w],
        Array.from({ length: h * w }, (_, i) => i),
      );
      const { y } = model.runSync({ x });
      const [rows, cols] = [h + 1, w + 3];
      expect(y!.shape).toEqual([1, 1, rows, cols]);
      expect([...y!.data]).toEqual(
        Array.from(
          { length: rows * cols },
          (_, i) => w * at(Math.floor(i / cols) - 1, h) + at((i % cols) - 2, w),
        ),
      );
    }
  });
});
