// The class of kernels an engine runs: how it is found, and what happens when it turns out to be wrong.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { extmulClass } from "../../src/engine/classes";
import {
  classifyDot,
  type Dot,
  isExtmulFaster,
  probeRelaxedDot,
  type RelaxedDot,
} from "../../src/engine/features";
import { inlined } from "../../src/engine/inlined";
import { createModel, Model } from "../../src/engine/model";
import { type Carried, Engine } from "../../src/engine/wasm";
import { writeArtifact } from "../../src/formats/octette";
import { readSafetensors } from "../../src/formats/safetensors";
import type { Graph } from "../../src/graph/graph";
import type { Tensor } from "../../src/graph/tensor";
import { registry } from "../../src/ops/index";
import { createRuntime } from "../../src/runtime/create-runtime";
import { convGraph, denseGraph, expectSameBytes, randomFeeds } from "../check-model";
import { sealed } from "../formats/sealed";
import { exactSources, relaxedWhere, signedWhere, withModel } from "./engines";

const signed = (y: number) => (y << 24) >> 24;
const saturated = (sum: number) => Math.min(32767, Math.max(-32768, sum));
/** What engines have been seen to compute: four products x·y, as two pairs of 16 bits. */
const dots: Record<Exclude<RelaxedDot, "absent" | "forbidden">, Dot> = {
  u8s8: (x, y) => 4 * x * y,
  "u8s8-saturating": (x, y) => 2 * saturated(2 * x * y),
  s8s8: (x, y) => 4 * x * signed(y),
  "s8s8-wrapping": (x, y) => 2 * (((2 * x * signed(y)) << 16) >> 16),
  broken: (x, y) => 8 * x * y,
};

describe("the relaxed dot product is classified by its answers", () => {
  for (const [kind, dot] of Object.entries(dots)) test(kind, () => expect(classifyDot(dot)).toBe(kind));

  test("as broken where only the upper half of the codes is wrong", () => {
    expect(classifyDot((x, y) => (y > 127 ? 0 : 4 * x * y))).toBe("broken");
    expect(classifyDot((x, y) => (y > 200 ? 4 * x * y : 4 * x * signed(y)))).toBe("broken");
  });

  test("as u8s8-saturating where one pair of extremes is off", () => {
    expect(classifyDot((x, y) => (x === -128 && y === 255 ? -65536 : 4 * x * y))).toBe("u8s8-saturating");
  });
});

test("this engine's probe says the same cold and hot", () => {
  const probe = probeRelaxedDot();
  expect(probe.hot()).toBe(probe.cold);
  expect(["absent", ...Object.keys(dots)]).toContain(probe.cold);
});

test("products of bytes are not found faster on x86, without timing them", () => {
  const now = vi.spyOn(performance, "now");
  const isX86 = typeof process !== "undefined" && (process.arch === "x64" || process.arch === "ia32");
  const isFaster = isExtmulFaster();
  if (isX86) expect({ isFaster, calls: now.mock.calls }).toEqual({ isFaster: false, calls: [] });
  else expect(now).toHaveBeenCalled();
  now.mockRestore();
});

const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
afterEach(() => warn.mockClear());

const slow = extmulClass(inlined.extmul.wasm, () => false);
const fast = extmulClass(inlined.extmul.wasm, () => true);

describe("the engine class", () => {
  const kinds = Object.keys({ absent: 0, ...dots }) as RelaxedDot[];
  const isUsed = (kind: RelaxedDot) => ["u8s8", "s8s8", "s8s8-wrapping"].includes(kind);
  for (const kind of kinds)
    for (const [extmul, second] of [
      [slow, "baseline"],
      [fast, "extmul"],
    ] as const) {
      const engineClass = isUsed(kind) ? "relaxed" : second;
      test(`is ${engineClass} where the dot product is ${kind} and ${second} the next`, () => {
        const { info } = new Engine({ ...inlined, extmul, relaxed: relaxedWhere(kind) });
        expect(info).toMatchObject({
          engineClass,
          relaxedDot: kind,
          reason: expect.stringMatching(
            second === "extmul" && !isUsed(kind) ? /^this engine.*; products of bytes/ : /^this engine/,
          ),
        });
      });
    }

  test("is asked for once, and a baseline engine is not asked again", async () => {
    const hot = vi.fn(() => "absent" as const);
    const relaxed = relaxedWhere("absent", hot);
    const probe = vi.spyOn(relaxed, "probe");
    const engine = new Engine({ ...inlined, extmul: slow, relaxed });
    expect(probe).not.toHaveBeenCalled();
    expect(engine.info).toBe(engine.info);
    await turn();
    expect(probe).toHaveBeenCalledOnce();
    expect(hot).not.toHaveBeenCalled();
  });

  test("asks what else would run only where that is still to be read", async () => {
    const extmul = extmulClass(inlined.extmul.wasm, () => false);
    const probe = vi.spyOn(extmul, "probe");
    const carried = { ...exactSources, extmul, relaxed: relaxedWhere("u8s8") };
    await new Engine(carried).prepare("relaxed");
    expect(probe).not.toHaveBeenCalled();
    const distant = new URL("../../build/wasm/baseline.wasm", import.meta.url);
    await new Engine({ ...carried, baseline: distant }).prepare("relaxed");
    expect(probe).toHaveBeenCalledOnce();
  });

  test("stays where compilers of one engine differ in pairs of −128·−128", () => {
    const engine = new Engine({ ...inlined, relaxed: signedWhere("s8s8-wrapping", () => "s8s8") });
    expect(engine.settle().engineClass).toBe("relaxed");
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("where both operands of the relaxed dot product are signed", () => {
  const graph = convGraph({ cin: 5, cout: 9, k: 3, pad: 1, h: 5, w: 4 });
  const feeds = randomFeeds(graph, 3);
  const withWeight = (code: number): Graph => {
    const codes = [...graph.constants].find(([, { dtype, shape }]) => dtype === "i8" && shape.length === 4)!;
    const data = Int8Array.from(codes[1].data, (q) => Math.max(-127, q)).fill(code, 7, 8);
    return { ...graph, constants: new Map(graph.constants).set(codes[0], { ...codes[1], data }) };
  };
  const { baseline, common } = inlined;
  const signed = { baseline, common, extmul: fast, relaxed: signedWhere("s8s8-wrapping") };

  for (const [code, carried, engineClass] of [
    [-127, signed, "relaxed"],
    [-128, signed, "extmul"],
    [-128, { ...signed, extmul: slow }, "baseline"],
  ] as const)
    test(`weights down to ${code} run in ${engineClass}, from a graph and from a file`, () => {
      const own = withWeight(code);
      const expected = withModel(own, { engineClass: "baseline" }, (model) => model.runSync(feeds).y);
      const runtime = createRuntime(registry, carried);
      for (const model of [runtime.loadGraphSync(own), runtime.loadSync(writeArtifact(own))]) {
        expectSameBytes(model.runSync(feeds).y, expected as Tensor);
        expect(model.engine.engineClass).toBe(engineClass);
        expect(model.engine.reason).toMatch(code === -128 ? /weights of −128/ : /exact over signed bytes/);
        model.dispose();
      }
    });

  test("a file that hides a weight of −128 is refused, on every engine", () => {
    const { tensors, metadata } = readSafetensors(writeArtifact(withWeight(-128)));
    expect(metadata).not.toHaveProperty("weight_codes");
    const file = sealed(tensors, { ...metadata, weight_codes: "-127..127" });
    for (const carried of [signed, inlined])
      expect(() => createRuntime(registry, carried).loadSync(file)).toThrow(
        expect.objectContaining({
          message: expect.stringMatching(
            /a weight is not what the file says: expected codes in -127\.\.127, got −128/,
          ),
        }),
      );
  });
});

/** Lets timers that are due run. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 20));

describe("a relaxed class that changes its mind", () => {
  const graph = convGraph({ cin: 5, cout: 9, k: 3, pad: 1, h: 5, w: 4 });
  const feeds = randomFeeds(graph, 3);

  test("moves live models to baseline with the same bytes, and says so once", async () => {
    const hot = vi.fn(() => "u8s8-saturating" as const);
    const engine = new Engine({ ...inlined, relaxed: relaxedWhere("u8s8", hot) });
    const models = [{}, { maxima: { batch: 3 } }].map(
      (options) => new Model(graph, registry, engine, options),
    );
    const before = models.map((model) => model.runSync(feeds).y!);
    expect(models.map((model) => model.engine.engineClass)).toEqual(["relaxed", "relaxed"]);
    await turn();
    for (const [i, model] of models.entries()) {
      expectSameBytes(model.runSync(feeds).y, before[i] as Tensor);
      expectSameBytes((await model.run(feeds)).y, before[i] as Tensor);
      expect(model.plan.engineClass).toBe("baseline");
      expect(model.engine).toMatchObject({
        engineClass: "baseline",
        reason: expect.stringMatching(/changed from u8s8 to u8s8-saturating/),
      });
    }
    expect(new Model(graph, registry, engine).plan.engineClass).toBe("baseline");
    await turn();
    expect(warn).toHaveBeenCalledOnce();
    expect(hot).toHaveBeenCalledOnce();
  });

  test("leaves a model in the class it was asked for", async () => {
    const engine = new Engine({ ...inlined, relaxed: relaxedWhere("u8s8", () => "broken") });
    const model = new Model(graph, registry, engine, { engineClass: "relaxed" });
    expect(engine.info.engineClass).toBe("relaxed");
    await turn();
    model.runSync(feeds);
    expect(model.engine).toMatchObject({ engineClass: "relaxed", reason: "asked for" });
  });

  test("does not bring back a disposed model", async () => {
    const relaxed = relaxedWhere("u8s8", () => "broken");
    const model = new Model(graph, registry, new Engine({ ...inlined, relaxed }));
    await turn();
    model.dispose();
    expect(() => model.runSync(feeds)).toThrow(expect.objectContaining({ code: "disposed" }));
  });

  test("that does not is left alone", async () => {
    const engine = new Engine({ ...inlined, relaxed: relaxedWhere("u8s8") });
    const model = new Model(graph, registry, engine);
    await turn();
    model.runSync(feeds);
    expect(model.plan.engineClass).toBe("relaxed");
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("a runtime that carries few classes", () => {
  const { common, baseline } = inlined;

  test("runs baseline where it has no other, and says so", () => {
    const { info } = new Engine({ common, baseline });
    expect(info).toMatchObject({
      engineClass: "baseline",
      reason: expect.stringMatching(/carries no other/),
    });
  });

  test("runs the one class that it has, exact but not the fastest", () => {
    const graph = denseGraph({ k: 3, n: 2, mode: "static" });
    const model = new Model(graph, registry, new Engine({ common: inlined.common, extmul: slow }));
    expect(model.runSync(randomFeeds(graph, 1))).toHaveProperty("y");
    expect(model.engine.engineClass).toBe("extmul");
    model.dispose();
  });

  test("says how a class is given, where its bare bytes are", () => {
    const bare = { common, baseline, relaxed: inlined.relaxed.wasm } as unknown as Carried;
    expect(() => createRuntime(registry, bare)).toThrow(
      expect.objectContaining({
        code: "argument",
        message: expect.stringMatching(/wasm\.relaxed: .*createRuntime: relaxedClass\(bytes\)/),
      }),
    );
  });

  test("takes wasm of its classes, bare or not, and of no other", () => {
    const file = writeArtifact(denseGraph({ k: 3, n: 2, mode: "static" }));
    const whole = createRuntime(registry, inlined);
    for (const wasm of [inlined, { relaxed: inlined.relaxed.wasm }]) whole.loadSync(file, { wasm }).dispose();
    expect(() => createRuntime(registry, { common, baseline }).loadSync(file, { wasm: inlined })).toThrow(
      expect.objectContaining({
        code: "argument",
        message: expect.stringMatching(/^wasm\.extmul: nothing decides/),
      }),
    );
  });

  test("names the class it lacks, and the way out", () => {
    const engine = new Engine({ common, relaxed: relaxedWhere("absent") });
    expect(() => new Model(denseGraph({ k: 3, n: 2, mode: "static" }), registry, engine)).toThrow(
      expect.objectContaining({
        code: "engine",
        message: expect.stringMatching(/^wasm\.baseline: this runtime carries no such kernels.*--class all/),
      }),
    );
  });
});

describe("where no wasm may be compiled from bytes, as under a policy or in workerd", () => {
  const compiled = (wasm: Uint8Array) => new WebAssembly.Module(wasm as BufferSource);
  const modules = { common: compiled(inlined.common), baseline: compiled(inlined.baseline) };
  const graph = denseGraph({ k: 3, n: 2, mode: "static" });
  const refuse = () => {
    throw new WebAssembly.CompileError("disallowed by embedder");
  };
  beforeEach(() => {
    const Module = new Proxy(WebAssembly.Module, { construct: refuse });
    vi.stubGlobal(
      "WebAssembly",
      Object.create(WebAssembly, { Module: { value: Module }, compile: { value: async () => refuse() } }),
    );
  });
  afterEach(() => void vi.unstubAllGlobals());

  test("loading is refused, with the way out", async () => {
    const refusal = {
      code: "engine",
      where: "wasm.common",
      message: expect.stringMatching(/disallowed by embedder\. Allow 'wasm-unsafe-eval'/),
    };
    expect(() => new Model(graph, registry, new Engine(inlined))).toThrow(expect.objectContaining(refusal));
    await expect(createModel(graph, registry, new Engine(inlined))).rejects.toMatchObject(refusal);
  });

  test.each([
    ["carried", new Engine(modules)],
    ["given", new Engine(inlined, modules)],
  ])("modules that are %s compiled run, in the class that needs no probe", (_, engine) => {
    const feeds = randomFeeds(graph, 1);
    const model = new Model(graph, registry, engine);
    expect(model.engine.engineClass).toBe("baseline");
    const { y } = model.runSync(feeds);
    model.dispose();
    vi.unstubAllGlobals();
    expectSameBytes(
      y,
      withModel(graph, { engineClass: "baseline" }, (free) => free.runSync(feeds).y!),
    );
  });

  test("the class says why", () => {
    expect(new Engine(inlined).info).toMatchObject({
      engineClass: "baseline",
      relaxedDot: probeRelaxedDot().cold,
      reason: expect.stringMatching(/no probe may be compiled here|no relaxed SIMD/),
    });
  });
});
