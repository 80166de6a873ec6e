// Models on several threads: the bytes of one, whatever the batch; what is said where there are fewer than asked for;
// and how threads end, of themselves or not.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { batches, cifar, mnist } from "../../bench/data.js";
import { extmulClass } from "../../src/engine/classes";
import { compile } from "../../src/engine/compile";
import type { Feeds } from "../../src/engine/feeds";
import { inlined } from "../../src/engine/inlined";
import { createModel, Model, type ModelOptions } from "../../src/engine/model";
import { Engine } from "../../src/engine/wasm";
import type { Graph } from "../../src/graph/graph";
import type { Shape } from "../../src/graph/symbols";
import { importOnnx, quantize } from "../../src/index";
import { registry } from "../../src/ops/index";
import { convGraph, denseGraph, expectSameBytes, networkGraph, opGraph, randomFeeds } from "../check-model";
import { readExample } from "../examples";
import { realFile } from "../formats/fixtures";
import { exactSources, pretendCores, relaxedWhere, signedWhere, withModel } from "./engines";

const root = new URL("../../", import.meta.url);
const worker = new URL("build/threads-worker.js", root);
const engine = new Engine(exactSources);

beforeEach(() => pretendCores(4));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A model on as many threads as asked for, all of them up. */
async function loadUp(
  graph: Graph,
  options: ModelOptions & { readonly threads: number },
  own = engine,
): Promise<Model> {
  const model = await createModel(graph, registry, own, { worker, ...options });
  await vi.waitFor(() => expect(model.engine.threads).toBe(options.threads), { timeout: 20_000 });
  return model;
}

/** The same bytes on 1 to 4 threads, for these batches one after the other. */
async function expectSame(
  graph: Graph,
  sizes = [8, 1, 3, 8, 11],
  feedsOf: (batch: number) => Feeds = (batch) => randomFeeds(graph, batch),
): Promise<void> {
  const fed = sizes.map(feedsOf);
  const options = { maxima: { batch: 8 } };
  const expected = withModel(graph, options, (model) => fed.map((feeds) => model.runSync(feeds)));
  for (const threads of [2, 3, 4]) {
    const model = await loadUp(graph, { ...options, threads });
    for (const [i, feeds] of fed.entries())
      for (const [name, y] of Object.entries(model.runSync(feeds)))
        expectSameBytes(y, expected[i]![name]!, `${name}, ${threads} threads, batch ${sizes[i]}`);
    model.dispose();
  }
}

const images = { h: 17, w: 18 };
const wide: Record<string, Graph> = {
  "int8 conv": convGraph({ cin: 24, cout: 33, k: 3, pad: 1, activation: "Relu", ...images }),
  "int8 conv in groups": convGraph({ cin: 24, cout: 48, k: 3, pad: 1, groups: 3, ...images }),
  "int8 depthwise": convGraph({ cin: 65, cout: 65, k: 3, pad: 1, groups: 65, ...images }),
  "int8 gemm, dynamic": denseGraph({ k: 300, n: 130, mode: "dynamic" }),
  "float conv": convGraph({ cin: 24, cout: 33, k: 3, pad: 1, mode: "float", ...images }),
  "float gemm": denseGraph({ k: 300, n: 130, mode: "float" }),
  "int8 add": opGraph({ op: "Add", shapes: Array(2).fill(["batch", 40, 33, 32]) }),
  "float add": opGraph({ op: "Add", shapes: Array(2).fill(["batch", 40, 33, 32]), quantized: false }),
  "float add, one row of each": opGraph({
    op: "Mul",
    shapes: [
      ["batch", 40, 1056],
      ["batch", 1, 1056],
    ],
    quantized: false,
  }),
  gelu: opGraph({ op: "Gelu", shapes: [["batch", 40, 33, 32]], quantized: false }),
};

describe("the same bytes on 1, 2, 3 and 4 threads", () => {
  for (const [name, graph] of Object.entries(wide)) test(name, () => expectSame(graph));
  test("networks too small to be shared", async () => {
    for (const quantized of [true, false]) await expectSame(networkGraph({ quantized }));
  });
  test("digits", async () => {
    const graph = importOnnx(await readExample("digits.onnx"));
    await expectSame(graph);
    const { graph: int8 } = await quantize(graph, { calibration: [randomFeeds(graph, 32)] });
    await expectSame(int8);
  });
  for (const [name, read] of Object.entries({ resnet8: cifar, mobile: cifar, mlp: mnist }))
    test.skipIf(!realFile(`vision/${name}.onnx`))(name, async () => {
      const graph = importOnnx(realFile(`vision/${name}.onnx`)!);
      const set = read("test");
      const { graph: int8 } = await quantize(graph, { calibration: batches(set, "input", 32, 32) });
      const feeds = (batch: number) => [...batches(set, "input", batch, batch)][0]!;
      for (const each of [graph, int8]) await expectSame(each, [8, 3], feeds);
    });
});

test("threads divide sums and products along the outermost dimension, however few their loops are", () => {
  const counts = (...shapes: Shape[]) =>
    compile(opGraph({ op: "Add", shapes, quantized: false }), {
      registry,
      engineClass: "baseline",
      maxima: { batch: 4 },
    }).steps.map(({ count }) => count);
  expect(counts(["batch", 40, 32], ["batch", 40, 32])).toEqual(["batch"]);
  expect(counts([1, 40, 32], [1, 40, 32])).toEqual([40]);
  expect(counts([1, "batch", 32], [1, "batch", 32])).toEqual(["batch"]);
  expect(counts([40, 32], [32])).toEqual([40]);
  expect(counts([1, 40, 32], [1])).toEqual([40]);
  expect(counts([1], [1])).toEqual([1]);
});

const graph = wide["int8 conv"]!;
const feeds = randomFeeds(graph, 4);
const expected = withModel(graph, { maxima: { batch: 4 } }, (model) => model.runSync(feeds).y!);
const two = { threads: 2, maxima: { batch: 4 } };

test("a model loaded synchronously runs at once, and shares its steps when its workers are up", async () => {
  const model = new Model(graph, registry, engine, two);
  expect(model.engine).toMatchObject({ threads: 1, threadsReason: "its workers are starting" });
  expectSameBytes(model.runSync(feeds).y, expected);
  await vi.waitFor(() => expect(model.engine.threads).toBe(2), { timeout: 20_000 });
  expect(model.engine.threadsReason).toBe("no more are asked for");
  expectSameBytes(model.runSync(feeds).y, expected);
  expect(model.profile(feeds, 2).every(({ milliseconds }) => milliseconds >= 0)).toBe(true);
  model.dispose();
});

const fast = extmulClass(inlined.extmul.wasm, () => true);
test.each([
  ["relaxed over signed bytes", { ...inlined, relaxed: signedWhere("s8s8-wrapping") }, "relaxed"],
  ["extmul", { ...inlined, relaxed: relaxedWhere("absent"), extmul: fast }, "extmul"],
] as const)("the same bytes in other classes: %s", async (_, carried, engineClass) => {
  for (const graph of [wide["int8 conv"]!, wide["int8 depthwise"]!, wide["int8 gemm, dynamic"]!]) {
    const feeds = randomFeeds(graph, 8);
    const options = { maxima: { batch: 8 } };
    const expected = withModel(graph, { ...options, engineClass: "baseline" }, (model) =>
      model.runSync(feeds),
    );
    const model = await loadUp(graph, { ...options, threads: 3 }, new Engine(carried));
    expect(model.engine.engineClass).toBe(engineClass);
    for (const [name, y] of Object.entries(model.runSync(feeds))) expectSameBytes(y, expected[name]!, name);
    model.dispose();
  }
});

test("memory grows by the scratch of further threads, and by nothing where one is asked for", () => {
  const bytesFor = (threads: number) => {
    const model = new Model(graph, registry, engine, { ...two, threads });
    const { plan, bytes } = model;
    model.dispose();
    return { bytes, pool: (threads - 1) * plan.memory.scratchBytes };
  };
  const [one, three] = [bytesFor(1), bytesFor(3)];
  expect(three.pool).toBeGreaterThan(0);
  expect(three.bytes - one.bytes).toBeLessThan(three.pool + 65536);
});

describe("where there are fewer threads than asked for, the model runs and says why", () => {
  const infoOf = (options: ModelOptions, sources = exactSources) => {
    const model = new Model(graph, registry, new Engine(sources), { ...two, ...options });
    expectSameBytes(model.runSync(feeds).y, expected);
    const { engine: info } = model;
    model.dispose();
    return info;
  };

  test("nobody asked", () => {
    expect(infoOf({ threads: 1 }).threadsReason).toMatch(/^no more are asked for: \{ threads/);
  });

  test("there are fewer cores", async () => {
    pretendCores(1);
    expect(infoOf({})).toMatchObject({ threads: 1, threadsReason: "1 core is available" });
    pretendCores(2);
    const model = await createModel(graph, registry, engine, { ...two, threads: 9 });
    expect(model.plan.threads).toBe(2);
    await vi.waitFor(() => expect(model.engine.threads).toBe(2), { timeout: 20_000 });
    expect(model.engine.threadsReason).toBe("2 cores are available");
    model.dispose();
  });

  test("the engine shares no memory", () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    expect(infoOf({}).threadsReason).toBe("this engine has no SharedArrayBuffer");
    vi.stubGlobal("crossOriginIsolated", false);
    expect(infoOf({}).threadsReason).toMatch(/not cross-origin isolated: .* COOP and COEP/);
  });

  test("wasm was given compiled", async () => {
    const { readFile } = await import("node:fs/promises");
    const common = new WebAssembly.Module(await readFile(new URL("build/wasm/common.wasm", root)));
    expect(infoOf({}, { ...exactSources, common }).threadsReason).toMatch(/^wasm.common was given compiled/);
  });

  test("a worker cannot be started", async () => {
    const model = await createModel(graph, registry, engine, { ...two, worker: new URL("none.js", root) });
    await vi.waitFor(() => expect(model.engine.threadsReason).toMatch(/^a worker ended: .*none\.js/));
    expectSameBytes(model.runSync(feeds).y, expected);
    model.dispose();
  });

  test("and a number that is none is an error", () => {
    for (const threads of [0, 1.5, Number.NaN, -1])
      expect(() => infoOf({ threads })).toThrow(
        expect.objectContaining({ code: "argument", where: "threads" }),
      );
  });
});

/** A worker's script that begins as the real one does. */
const script = (then: string) =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { workerData } from "node:worker_threads";
      const { words } = workerData;
      Atomics.add(words, 48, 1);
      ${then}`)}`,
  );

describe("a worker that", () => {
  test("died between runs is not waited for", async () => {
    const model = await createModel(graph, registry, engine, { ...two, worker: script("process.exit();") });
    await vi.waitFor(() => expect(model.engine.threadsReason).toBe("a worker ended: it exited"));
    expectSameBytes(model.runSync(feeds).y, expected);
    model.dispose();
  });

  test("sleeps is not waited for", async () => {
    const sleeping = script("Atomics.wait(words, 63, 0);");
    const model = await loadUp(graph, { ...two, worker: sleeping });
    expectSameBytes(model.runSync(feeds).y, expected);
    model.dispose();
  });

  test("died with a part in its hands is an error, not a hang", async () => {
    const thief = script(`
      for (let word; ; ) {
        word = Atomics.load(words, 0);
        if ((word & 255) >= ((word >> 8) & 255)) continue;
        if (Atomics.compareExchange(words, 0, word, word - 256) === word) process.exit();
      }`);
    const model = await loadUp(graph, { ...two, worker: thief });
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => (now += 6000));
    expect(() => {
      for (;;) model.runSync(feeds);
    }).toThrow(
      expect.objectContaining({ code: "engine", message: expect.stringMatching(/does not answer/) }),
    );
    vi.mocked(performance.now).mockRestore();
    model.dispose();
  });

  test("meets a trap gives the error that one thread gives", async () => {
    const errorOn = async (threads: number) => {
      const model = await loadUp(graph, { ...two, threads });
      // What no plan does: an output beyond the memory.
      const conv = model.plan.steps.find(({ kernel }) => kernel === "convInt8")!;
      Object.assign(conv, { args: [2 ** 31, ...conv.args.slice(1)] });
      try {
        model.runSync(randomFeeds(graph, 3));
      } catch (error) {
        return error;
      } finally {
        model.dispose();
      }
      return undefined;
    };
    const error = await errorOn(1);
    expect(error).toMatchObject({ code: "engine", message: expect.stringMatching(/out of bounds/) });
    expect(await errorOn(3)).toEqual(error);
  });
});

describe("dispose() ends the workers", () => {
  const workers: Worker[] = [];
  const note = (started: Worker) => workers.push(started);
  const expectEnds = (count: number) =>
    vi.waitFor(() => expect(workers.map(({ threadId }) => threadId)).toEqual(Array(count).fill(-1)));
  beforeEach(() => {
    workers.length = 0;
    process.on("worker", note);
  });
  afterEach(() => {
    process.off("worker", note);
  });

  test("of a model that runs", async () => {
    const model = await loadUp(graph, { ...two, threads: 3 });
    model.dispose();
    await expectEnds(2);
    expect(() => model.runSync(feeds)).toThrow(expect.objectContaining({ code: "disposed" }));
  });

  test("that were about to start", async () => {
    const model = new Model(graph, registry, engine, two);
    model.dispose();
    await model.started;
    await expectEnds(1);
  });
});

test("a model that is not disposed keeps no process alive", () => {
  const program = `
    import { load, importOnnx } from "octette";
    import { readFileSync } from "node:fs";
    globalThis.navigator ?? Object.assign(globalThis, { navigator: { hardwareConcurrency: 2 } });
    const model = await load(importOnnx(readFileSync("examples/digits/digits.onnx")), { threads: 2 });
    for (let i = 0; i < 100 && model.engine.threads < 2; i++) await new Promise((wake) => setTimeout(wake, 100));
    await model.run({ [model.inputs[0].name]: new Float32Array(64) });
    console.log(model.engine.threads, model.engine.threadsReason);`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: fileURLToPath(root),
    encoding: "utf8",
    timeout: 60_000,
  });
  expect(printed).toMatch(/^2 no more are asked for|^1 1 core is/);
});
