// Sizes beyond those that a model was loaded for: memory grows behind the same constants, and results are those of a model that
// was planned for these sizes.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { compile } from "../../src/engine/compile";
import { createModel, MAX_PLANS, Model, type ModelOptions } from "../../src/engine/model";
import type { Plan } from "../../src/engine/plan";
import { Engine } from "../../src/engine/wasm";
import { OctetteError } from "../../src/errors";
import type { Graph } from "../../src/graph/graph";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { loadSync, preload, save } from "../../src/index";
import { registry } from "../../src/ops/index";
import { convGraph, denseGraph, expectSameBytes, networkGraph } from "../check-model";
import { GraphBuilder } from "../graph-builder";
import { engineClasses, exactSources, pretendCores, withModel, withModelInParts } from "./engines";
import { rowGraph } from "./row-graphs";

const root = new URL("../../", import.meta.url);
const engine = new Engine(exactSources);

/** A product over every step of a sequence, whose softmax lets steps meet: int8 with ranges found at run time, or float. */
function sequence(mode: "dynamic" | "float"): Graph {
  const b = new GraphBuilder(3);
  const x = b.input("x", ["batch", "length", 6]);
  const turned = b.node("Transpose", [x], "turned", { perm: [0, 2, 1] });
  const mixed = b.node("Softmax", [turned], "mixed", { axis: -1 });
  const back = b.node("Transpose", [mixed], "back", { perm: [0, 2, 1] });
  if (mode === "float") b.node("Linear", [back, b.floats("w", [40, 6], 1)], "y");
  else b.layer("Linear", [b.quantizeDynamically(back), b.weights("w", [40, 6], 0)], "y");
  return b.build("y");
}
const graph = sequence("dynamic");

type Size = readonly [batch: number, length: number];
const feedsOf = ([batch, length]: Size) => ({
  x: tensor(
    "f32",
    [batch, length, 6],
    Array.from({ length: batch * length * 6 }, (_, i) => Math.sin(i * (length + 1))),
  ),
});

/** The result of a model that was planned for a size. */
function expected(size: Size, of = graph, options: ModelOptions = {}): Tensor {
  const [batch, length] = size.map((n) => Math.max(1, n)) as [number, number];
  return withModel(of, { ...options, maxima: { batch, length } }, (model) => model.runSync(feedsOf(size)).y!);
}

const errorOf = (attempt: () => unknown): unknown => {
  try {
    return attempt();
  } catch (error) {
    return error;
  }
};

describe("constants lie the same for all sizes", () => {
  /** How many pairs of plans were compared. */
  const check = (of: Graph): number => {
    let compared = 0;
    for (const engineClass of engineClasses) {
      const parts = [1, 2, 7].flatMap((size) => {
        const symbols = of.inputs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === "string"));
        const maxima = Object.fromEntries(symbols.map((symbol) => [symbol, size]));
        const plan = errorOf(() => compile(of, { registry, engineClass, maxima })) as Plan | Error;
        // Some random graphs have no plan for a few rows.
        if (plan instanceof OctetteError) return [];
        if (plan instanceof Error) throw plan;
        // A batch that can be cut never grows: one row may have a packing of its own.
        if (size === 1 && plan.batch !== undefined) return [];
        return [{ loads: plan.loads, bytes: plan.memory.constantBytes }];
      });
      for (const part of parts.slice(1)) expect(part).toEqual(parts[0]);
      compared += parts.length - 1;
    }
    return compared;
  };

  test("of layers", () => {
    const images = { h: 9, w: 8 };
    for (const mode of ["static", "dynamic", "float"] as const) check(denseGraph({ k: 30, n: 40, mode }));
    for (const mode of ["static", "float"] as const)
      check(convGraph({ cin: 8, cout: 9, k: 3, pad: 1, mode, ...images }));
    for (const mode of ["dynamic", "float"] as const) check(sequence(mode));
    for (const quantized of [true, false]) check(networkGraph({ quantized }));
  });

  test("of random graphs of every op", () => {
    let checked = 0;
    for (let seed = 0; checked < 1000; seed++) {
      const made = rowGraph(seed);
      if (made) checked += Math.max(0, check(made.graph));
    }
  });
});

describe("larger sizes take more memory, and have the bytes of a model planned for them", () => {
  const sizes: readonly Size[] = [
    [1, 3],
    [2, 700],
    [40, 9],
    [2, 700],
    [0, 5],
    [1, 3],
  ];
  const check = (model: Model, of: Graph, options: ModelOptions = {}) => {
    const before = model.bytes;
    const results = sizes.map((size) => model.runSync(feedsOf(size)).y!);
    expect(model.bytes).toBeGreaterThan(before);
    expect(model.bytes % 65536).toBe(0);
    // All of them at the end: those of earlier runs stay what they were.
    for (const [i, size] of sizes.entries()) expectSameBytes(results[i], expected(size, of, options));
  };

  for (const mode of ["dynamic", "float"] as const) {
    const of = sequence(mode);
    test.each(engineClasses)(`${mode}, %s`, (engineClass) =>
      withModel(of, { engineClass, maxima: { batch: 64 } }, (model) => check(model, of, { engineClass })));
    test(`${mode}, its batch cut into parts`, () =>
      withModel(of, { maxima: { batch: 3 } }, (model) => check(model, of)));
    test(`${mode}, steps computed in parts with scratch of their own`, () =>
      withModelInParts(of, { maxima: { batch: 64 } }, (model) => check(model, of)));
  }

  test("loaded from a file, which keeps no weights", async () => {
    await preload();
    const model = loadSync(save(graph), { maxima: { batch: 64 } });
    check(model, graph);
    model.dispose();
  });

  test("of a batch whose rows meet, in int8", () => {
    const b = new GraphBuilder(1);
    const x = b.input("x", ["batch", 6]);
    const mean = b.node("ReduceMean", [x], "mean", { axes: [0], keepdims: 1 });
    const centred = b.node("Sub", [x, mean], "centred");
    const w = b.weights("w", [40, 6], 0);
    b.layer("Linear", [b.quantizeDynamically(centred), w], "y");
    const of = b.build("y");
    const x700 = {
      x: tensor(
        "f32",
        [700, 6],
        Array.from({ length: 4200 }, (_, i) => Math.cos(i)),
      ),
    };
    const whole = withModel(of, { maxima: { batch: 700 } }, (model) => model.runSync(x700).y!);
    withModel(of, {}, (model) => {
      expect(model.plan.steps.map(({ kernel }) => kernel)).toContain("linearInt8");
      expectSameBytes(model.runSync(x700).y, whole);
    });
  });

  test("of runs that nobody has awaited yet, some into arrays of the caller", async () => {
    const model = await createModel(graph, registry, engine, {});
    const into = { y: new Float32Array(2 * 700 * 40) };
    const runs = [
      model.run(feedsOf([1, 3])),
      model.run(feedsOf([2, 700]), into),
      model.run(feedsOf([1, 2000])),
    ];
    model.dispose();
    const [small, large, long] = await Promise.all(runs);
    expectSameBytes(small!.y, expected([1, 3]));
    expectSameBytes(large!.y, expected([2, 700]));
    expect(large!.y!.data).toBe(into.y);
    expectSameBytes(long!.y, expected([1, 2000]));
  });

  test("taps are those of the last size", () =>
    withModel(graph, { taps: ["mixed"] }, (model) => {
      for (const [batch, length] of [
        [1, 3],
        [1, 700],
        [1, 3],
      ] as const) {
        model.runSync(feedsOf([batch, length]));
        const { shape, data } = model.tapped("mixed");
        expect(shape).toEqual([batch, 6, length]);
        for (let row = 0; row < 6; row++) {
          const steps = Array.from<number>(data.subarray(row * length, (row + 1) * length));
          const sum = steps.reduce((a, b) => a + b, 0);
          expect(sum).toBeCloseTo(1, 3);
        }
      }
    }));
});

describe("plans", () => {
  const plansOf = (model: Model, sizes: readonly Size[]): Plan[] =>
    sizes.map((size) => {
      expectSameBytes(model.runSync(feedsOf(size)).y, expected(size));
      return model.plan;
    });

  test("of sizes that alternate are made once, and share constants", () =>
    withModel(graph, { maxima: { batch: 64 } }, (model) => {
      const three: readonly Size[] = [
        [1, 9],
        [3, 5],
        [64, 2],
      ];
      const [first, again] = [plansOf(model, three), plansOf(model, three)];
      expect(new Set(first).size).toBe(3);
      for (const [i, plan] of again.entries()) expect(plan).toBe(first[i]);
      expect(new Set(first.map(({ loads }) => loads)).size).toBe(1);
    }));

  test("have room for smaller sizes: the smallest one is taken", () =>
    withModel(graph, { maxima: { batch: 64 } }, (model) => {
      const [one, long, shorter, short] = plansOf(model, [
        [1, 1],
        [1, 90],
        [1, 70],
        [1, 1],
      ]);
      expect(long).not.toBe(one);
      expect(shorter).toBe(long);
      expect(short).toBe(one);
    }));

  test("have room for a size that grows from run to run: it is planned few times", () =>
    withModel(graph, {}, (model) => {
      const sizes = Array.from({ length: 60 }, (_, i): Size => [1, i + 1]);
      const plans = new Set(plansOf(model, sizes));
      expect(plans.size).toBeLessThan(8);
      for (const size of [sizes[31]!, sizes[59]!])
        expectSameBytes(model.runSync(feedsOf(size)).y, expected(size));
    }));

  test("have no more room than maxBytes", () => {
    const size: Size = [1, 3000];
    const { totalBytes } = withModel(graph, { maxima: { length: size[1] } }, ({ plan }) => plan.memory);
    withModel(graph, { maxBytes: totalBytes }, (model) => {
      for (const length of [1000, 2000, 2500, 2600, size[1]])
        expectSameBytes(model.runSync(feedsOf([1, length])).y, expected([1, length]));
      expect(model.bytes).toBeLessThanOrEqual(totalBytes);
    });
  });

  test("no more than MAX_PLANS of them are kept, the last ones", () =>
    withModel(graph, { maxima: { batch: 64 } }, (model) => {
      const sizes = Array.from({ length: MAX_PLANS }, (_, i): Size => [4 ** i, 1024 >> (3 * i)]);
      const first = plansOf(model, sizes);
      expect(plansOf(model, sizes)).toEqual(first);
      const [more] = plansOf(model, [[40, 5]]);
      expect(first).not.toContain(more);
      expect(plansOf(model, [sizes[0]!])[0]).not.toBe(first[0]);
      expect(plansOf(model, [sizes.at(-1)!])[0]).toBe(first.at(-1));
    }));
});

describe("memory that a run may not take", () => {
  const check = (model: Model, facts: object) => {
    const before = model.bytes;
    const error = errorOf(() => model.runSync(feedsOf([1, 20_000])));
    expect(error).toBeInstanceOf(OctetteError);
    expect(error).toMatchObject({ code: "limit", ...facts });
    // It goes on as before.
    expect(model.bytes).toBe(before);
    for (const size of [
      [1, 3],
      [1, 40],
    ] as const)
      expectSameBytes(model.runSync(feedsOf(size)).y, expected(size));
    return error as OctetteError;
  };

  test("beyond maxBytes is an error that says what fits", () =>
    withModel(graph, { maxBytes: "1MB" }, (model) => {
      const { message } = check(model, { where: graph.name, expected: "at most 1000000 bytes" });
      const [, fits] = /A length of (\d+) fits\. maxBytes/.exec(message)!;
      expectSameBytes(model.runSync(feedsOf([1, Number(fits)])).y, expected([1, Number(fits)]));
      expect(() => model.runSync(feedsOf([1, Number(fits) + 1]))).toThrow(/takes more memory/);
    }));

  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  test.each([
    1, 2,
  ])("that the engine does not reserve is an error that names maxima, on %i threads", async (threads) => {
    pretendCores(2);
    const { Memory } = WebAssembly;
    class Reserved extends Memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        if (descriptor.maximum! > descriptor.initial) throw new RangeError("could not allocate memory");
        super(descriptor);
      }
    }
    Object.assign(WebAssembly, { Memory: Reserved });
    const model = await createModel(graph, registry, engine, { threads }).finally(() =>
      Object.assign(WebAssembly, { Memory }),
    );
    check(model, { message: expect.stringMatching(/no such memory to give.*maxima/s) });
    model.dispose();
  });
});

describe("threads", () => {
  beforeEach(() => pretendCores(3));
  afterEach(() => void vi.unstubAllGlobals());

  test("share the steps of larger sizes, planned before their workers were up or after it", async () => {
    const options = { threads: 3, worker: new URL("build/threads-worker.js", root), maxima: { batch: 64 } };
    const wide = sequence("dynamic");
    for (const isUp of [false, true]) {
      const model = new Model(wide, registry, engine, options);
      const up = () => vi.waitFor(() => expect(model.engine.threads).toBe(3), { timeout: 20_000 });
      if (isUp) await up();
      else expectSameBytes(model.runSync(feedsOf([2, 3000])).y, expected([2, 3000]));
      await up();
      for (const size of [
        [1, 3],
        [2, 3000],
        [64, 200],
        [3, 5000],
        [2, 3000],
      ] as const)
        expectSameBytes(model.runSync(feedsOf(size)).y, expected(size), `${size}`);
      model.dispose();
    }
  });
});
