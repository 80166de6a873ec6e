// A loaded model as its caller meets it: runs, sizes beyond the maximum, taps, profile, memory, the end of its life.

import { describe, expect, test } from "vitest";
import type { Feeds, Into } from "../../src/engine/feeds";
import { inlined } from "../../src/engine/inlined";
import { Model, type ModelOptions } from "../../src/engine/model";
import { Session } from "../../src/engine/session";
import { Engine } from "../../src/engine/wasm";
import type { Graph } from "../../src/graph/graph";
import type { Shape } from "../../src/graph/symbols";
import { registry } from "../../src/ops/index";
import { convGraph, denseGraph, expectSameBytes, randomFeeds } from "../check-model";
import { GraphBuilder } from "../graph-builder";
import { runReference } from "../reference/index";
import { engineClasses, withModel } from "./engines";

/** Runs once and lets the model go. */
const run = (graph: Graph, feeds: Feeds, options: ModelOptions = {}) =>
  withModel(graph, options, (model) => model.runSync(feeds));

/** What is fed comes back. */
function echo(shape: Shape): Graph {
  const builder = new GraphBuilder();
  builder.node("Identity", [builder.input("x", shape)], "y");
  return builder.build("y");
}

/** Two inputs, two outputs of which one is read again, integer and float. */
function forked(): Graph {
  const builder = new GraphBuilder(5);
  const a = builder.input("a", ["batch", 6]);
  const b = builder.input("b", ["batch", 6]);
  const sum = builder.node("Add", [a, b], "sum");
  builder.node("Relu", [sum], "positive");
  const coded = builder.quantize(sum);
  const w = builder.weights("w", [4, 6], 0);
  builder.dequantize(
    builder.layer("Linear", [coded, w, builder.bias("bias", w, 6)], "q", {
      range: builder.range(),
    }),
    "scores",
  );
  return builder.build("scores", "sum", "positive");
}

test("several inputs and outputs are told apart by name, whatever the order they are fed in", () => {
  const graph = forked();
  const feeds = randomFeeds(graph, 5);
  const expected = runReference(graph, feeds);
  for (const maxima of [{ batch: 5 }, { batch: 2 }]) {
    const outputs = run(graph, { b: feeds.b!, a: feeds.a! }, { maxima });
    expect(Object.keys(outputs)).toEqual(["scores", "sum", "positive"]);
    for (const [name, y] of Object.entries(outputs)) expectSameBytes(y, expected.get(name)!, name);
  }
});

describe("run()", () => {
  const graph = denseGraph({ k: 7, n: 3 });

  test("overlapping calls wait for each other and each gets its own result", async () => {
    const feeds = [1, 2, 3, 4].map((seed) => randomFeeds(graph, seed, seed));
    const model = new Model(graph, registry, new Engine(inlined), { maxima: { batch: 2 } });
    const results = await Promise.all(feeds.map((x) => model.run(x)));
    for (const [i, { y }] of results.entries()) expectSameBytes(y, runReference(graph, feeds[i]!).get("y")!);
    model.dispose();
  });

  test("outputs are written to the caller's arrays, in parts of the maximum and unaligned ones too", () => {
    const builder = new GraphBuilder();
    const { codes } = builder.quantize(builder.input("x", ["batch", 7]), builder.range("i8"));
    const graph = builder.build(codes);
    const feeds = randomFeeds(graph, 5);
    const expected = runReference(graph, feeds).get(codes)!;
    for (const maxima of [{ batch: 5 }, { batch: 2 }])
      for (const offset of [0, 1, 3])
        withModel(graph, { maxima }, (model) => {
          const array = new Int8Array(new ArrayBuffer(offset + 35), offset);
          const y = model.runSync(feeds, { [codes]: array })[codes]!;
          expect(y.data).toBe(array);
          expectSameBytes(y, expected);
        });
  });

  test("signed bytes of any number of rows come out whole, wherever a part of them begins", () => {
    const builder = new GraphBuilder();
    const { codes } = builder.quantize(builder.input("x", ["n"]), builder.range("i8"));
    const graph = builder.build(codes);
    for (const rows of [0, 1, 2, 3, 4, 5, 9]) {
      const feeds = randomFeeds(graph, rows);
      const expected = runReference(graph, feeds).get(codes)!;
      for (const n of [1, 2, 3, 16]) expectSameBytes(run(graph, feeds, { maxima: { n } })[codes], expected);
      for (const offset of [0, 1, 2, 3, 5]) {
        const array = new Int8Array(new ArrayBuffer(offset + rows), offset);
        withModel(graph, { maxima: { n: 9 } }, (model) => model.runSync(feeds, { [codes]: array }));
        expect(array).toEqual(expected.data);
      }
    }
  });

  test("an array that fits no output is refused", () => {
    withModel(graph, { maxima: { batch: 2 } }, (model) => {
      const run =
        (into: Into, rows = 2) =>
        () =>
          model.runSync(randomFeeds(graph, rows), into);
      expect(run({ z: new Float32Array(6) })).toThrow(/no output "z": expected "y"/);
      expect(run({ y: new Float32Array(5) })).toThrow(
        /output "y": the array does not fit: expected Float32Array of 6, got Float32Array of 5/,
      );
      expect(run({ y: new Float32Array(6) }, 5)).toThrow(/expected Float32Array of 15/);
      expect(run({ y: new Int32Array(6) })).toThrow(/got Int32Array of 6/);
    });
  });

  test("a call that fails does not stop those behind it", async () => {
    const model = new Model(graph, registry, new Engine(inlined));
    const [bad, good] = await Promise.allSettled([model.run({}), model.run(randomFeeds(graph, 1))]);
    expect([bad.status, good.status]).toEqual(["rejected", "fulfilled"]);
    model.dispose();
  });

  test("results are the caller's: a later run does not change them", () => {
    withModel(graph, {}, (model) => {
      const y = model.runSync(randomFeeds(graph, 1, 1)).y!;
      const copy = y.data.slice();
      model.runSync(randomFeeds(graph, 1, 2));
      expect(y.data).toEqual(copy);
    });
  });

  test("a batch of 0 gives outputs without elements", () => {
    for (const some of [graph, convGraph({ cin: 3, cout: 4, k: 3, h: 4, w: 4 }), forked()]) {
      const outputs = run(some, randomFeeds(some, 0), { maxima: { batch: 2 } });
      for (const { shape, data } of Object.values(outputs)) expect([shape[0], data.length]).toEqual([0, 0]);
    }
  });
});

describe("sizes beyond the maximum", () => {
  test("of the batch are run in parts", () => {
    const graph = denseGraph({ k: 7, n: 3 });
    const feeds = randomFeeds(graph, 11);
    const expected = runReference(graph, feeds).get("y")!;
    for (const batch of [1, 2, 4, 11, 12])
      expectSameBytes(run(graph, feeds, { maxima: { batch } }).y, expected);
  });

  /** y = x − mean of x over the batch: rows feel each other. */
  function centred(): Graph {
    const builder = new GraphBuilder();
    const x = builder.input("x", ["batch", 2]);
    const mean = builder.node("ReduceMean", [x], "mean", { axes: [0] });
    builder.node("Sub", [x, mean], "y");
    return builder.build("y");
  }
  /** Softmax over the batch. */
  function acrossRows(): Graph {
    const builder = new GraphBuilder();
    builder.node("Softmax", [builder.input("x", ["batch"])], "y");
    return builder.build("y");
  }
  /** Rows in another order. */
  function moved(): Graph {
    const builder = new GraphBuilder();
    const flat = builder.node("Reshape", [builder.input("x", ["batch", 4])], "flat", { shape: [4, "batch"] });
    builder.node("Transpose", [flat], "y", { perm: [1, 0] });
    return builder.build("y");
  }
  for (const [name, graph] of Object.entries({
    centred: centred(),
    acrossRows: acrossRows(),
    moved: moved(),
  }))
    test(`of a batch whose rows feel each other (${name}) are run whole`, () => {
      const feeds = randomFeeds(graph, 3);
      const expected = run(graph, feeds, { maxima: { batch: 3 } }).y!;
      expectSameBytes(run(graph, feeds, { maxima: { batch: 2 } }).y, expected);
    });

  test("of the batch are run in parts where images are seen as more rows on the way", () => {
    const builder = new GraphBuilder();
    const rows = builder.node("Reshape", [builder.input("x", ["batch", 6])], "rows", { shape: [-1, 2] });
    const y = builder.node("Softmax", [rows], "soft");
    builder.node("Reshape", [y], "y", { shape: [-1, 6] });
    const graph = builder.build("y");
    const feeds = randomFeeds(graph, 5);
    expectSameBytes(
      run(graph, feeds, { maxima: { batch: 2 } }).y,
      run(graph, feeds, { maxima: { batch: 5 } }).y!,
    );
  });

  test("and maxima that are no positive integers are refused", () => {
    for (const batch of [0, -1, 1.5, Number.NaN])
      expect(() => run(echo(["batch"]), { x: new Float32Array(1) }, { maxima: { batch } })).toThrow(
        /maxima.batch: invalid maximum/,
      );
  });
});

describe("taps", () => {
  const graph = forked();
  const feeds = randomFeeds(graph, 4);
  const expected = runReference(graph, feeds);

  test("hold the reference's values", () => {
    for (const engineClass of engineClasses) {
      const options = { engineClass, maxima: { batch: 4 }, taps: ["sum", "sum_codes", "q_codes", "a"] };
      withModel(graph, options, (model) => {
        model.runSync(feeds);
        for (const name of options.taps) expectSameBytes(model.tapped(name), expected.get(name)!, name);
      });
    }
  });

  test("do not change a byte of the outputs, and split no integer layer", () => {
    const plain = run(graph, feeds, { maxima: { batch: 4 } });
    const computed = graph.nodes.flatMap(({ outputs }) => outputs);
    const options = { maxima: { batch: 4 }, taps: computed };
    withModel(graph, options, (model) => {
      for (const [name, y] of Object.entries(model.runSync(feeds))) expectSameBytes(y, plain[name]!, name);
      expect(model.plan.steps.filter(({ kernel }) => /^gem[mv]Int8$/.test(kernel))).toHaveLength(1);
    });
  });

  test("of a value that would be fused stand by themselves, with the same result", () => {
    const fused = denseGraph({ k: 5, n: 4, mode: "float", activation: "Relu" });
    const x = randomFeeds(fused, 2);
    const [plain, tapped] = [{}, { taps: ["y_core"] }].map((options) =>
      withModel(fused, { ...options, maxima: { batch: 2 } }, (model) => ({
        y: model.runSync(x).y!,
        steps: model.plan.steps.length,
        core: options.taps && { ...model.tapped("y_core"), data: model.tapped("y_core").data.slice() },
      })),
    );
    expect([plain!.steps, tapped!.steps]).toEqual([1, 2]);
    expectSameBytes(tapped!.y, plain!.y);
    expect(Array.from(tapped!.core!.data, (v) => Math.max(0, v))).toEqual([...plain!.y.data]);
    expect(tapped!.core!.data.some((v) => v < 0)).toBe(true);
  });

  test("are views in the layout that memory has", () => {
    const images = convGraph({ cin: 3, cout: 2, k: 1, h: 2, w: 2 });
    withModel(images, { taps: ["q_codes"] }, (model) => {
      const x = randomFeeds(images, 1);
      model.runSync(x);
      const { layout, shape, data } = model.tapped("q_codes");
      expect([layout, shape]).toEqual(["channelsLast", [1, 2, 2, 2]]);
      const codes = runReference(images, x).get("q_codes")!.data;
      expect(Array.from(data)).toEqual([0, 4, 1, 5, 2, 6, 3, 7].map((i) => codes[i]));
    });
  });

  test("of what is in no memory are refused by name", () => {
    for (const tap of ["nonsense", "w_codes", "sum_codes_real@Gemm_q"])
      expect(() => run(graph, feeds, { taps: [tap] })).toThrow(
        expect.objectContaining({
          code: "argument",
          message: expect.stringMatching(/^taps: ".*" cannot be tapped/),
        }),
      );
    withModel(graph, {}, (model) => expect(() => model.tapped("sum")).toThrow(/"sum" is not tapped/));
  });
});

test("profile() times every step, and the model runs on as before", () => {
  const graph = forked();
  const feeds = randomFeeds(graph, 2);
  withModel(graph, { maxima: { batch: 2 } }, (model) => {
    const before = model.runSync(feeds);
    const profile = model.profile(feeds, 3);
    expect(profile.map(({ kernel }) => kernel)).toEqual(model.plan.steps.map(({ kernel }) => kernel));
    for (const { milliseconds } of profile) expect(milliseconds).toBeGreaterThanOrEqual(0);
    expect(profile.find(({ node }) => node === "Linear_q")!.macs).toBe(2 * 6 * 4);
    for (const [name, y] of Object.entries(model.runSync(feeds))) expectSameBytes(y, before[name]!, name);
  });
});

describe("memory", () => {
  test("is planned to the page before anything is allocated", () => {
    for (const graph of [echo(["batch", 3]), convGraph({ cin: 40, cout: 80, k: 3, h: 30, w: 30 })])
      for (const batch of [1, 7]) {
        const engine = new Engine(inlined);
        const model = new Model(graph, registry, engine, { maxima: { batch } });
        const session = new Session(model.plan, engine);
        expect(model.bytes).toBe(session.buffer.byteLength);
        model.runSync(randomFeeds(graph, batch));
        expect(model.bytes % 65536).toBe(0);
        model.dispose();
      }
  });

  test("beyond 32 bits is an error before it is allocated", () => {
    expect(() => run(echo(["batch", 2 ** 20]), {}, { maxima: { batch: 2 ** 20 } })).toThrow(
      expect.objectContaining({ code: "limit" }),
    );
  });
});

describe("dispose()", () => {
  const graph = denseGraph({ k: 3, n: 2 });
  const feeds = randomFeeds(graph, 1);

  test("twice is harmless", () => {
    const model = new Model(graph, registry, new Engine(inlined));
    model.dispose();
    model.dispose();
  });

  test("is final: any later use is an error with code disposed", async () => {
    const model = new Model(graph, registry, new Engine(inlined), { taps: ["x_codes"] });
    const early = model.run(feeds);
    await early;
    const queued = model.run(feeds);
    model.dispose();
    const disposed = expect.objectContaining({ code: "disposed", hint: "Load it again" });
    expect((await queued).y!.data).toHaveLength(2);
    await expect(model.run(feeds)).rejects.toEqual(disposed);
    for (const use of [
      () => model.runSync(feeds),
      () => model.runSync({}),
      () => model.profile(feeds),
      () => model.tapped("x_codes"),
    ])
      expect(use).toThrow(disposed);
  });
});
