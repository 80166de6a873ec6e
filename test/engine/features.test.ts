// The class of kernels an engine runs: how it is found, and what happens when it turns out to be wrong.

import { afterEach, describe, expect, test, vi } from "vitest";
import { classifyDot, type Dot, probeRelaxedDot, type RelaxedDot } from "../../src/engine/features";
import { inlined } from "../../src/engine/inlined";
import { Model } from "../../src/engine/model";
import { Engine } from "../../src/engine/wasm";
import type { Tensor } from "../../src/graph/tensor";
import { registry } from "../../src/ops/index";
import { convGraph, denseGraph, expectSameBytes, randomFeeds } from "../check-model";
import { exactSources } from "./engines";

const signed = (y: number) => (y << 24) >> 24;
const saturated = (sum: number) => Math.min(32767, Math.max(-32768, sum));
/** What engines have been seen to compute: four products x·y, as two pairs of 16 bits. */
const dots: Record<Exclude<RelaxedDot, "absent">, Dot> = {
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

const found = (cold: RelaxedDot, hot = cold) => ({ cold, hot: vi.fn(() => hot) });

describe("the engine class", () => {
  const kinds = Object.keys({ absent: 0, ...dots }) as RelaxedDot[];
  for (const kind of kinds)
    test(`is ${kind === "u8s8" ? "relaxed" : "baseline"} where the dot product is ${kind}`, () => {
      const { info } = new Engine(inlined, () => found(kind));
      expect(info).toMatchObject({
        engineClass: kind === "u8s8" ? "relaxed" : "baseline",
        relaxedDot: kind,
        reason: expect.stringMatching(/^this engine/),
      });
    });

  test("is asked for once, and a baseline engine is not asked again", async () => {
    const probe = found("absent");
    const ask = vi.fn(() => probe);
    const engine = new Engine(inlined, ask);
    expect(ask).not.toHaveBeenCalled();
    expect(engine.info).toBe(engine.info);
    await turn();
    expect(ask).toHaveBeenCalledOnce();
    expect(probe.hot).not.toHaveBeenCalled();
  });
});

/** Lets timers that are due run. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 20));

describe("a relaxed class that changes its mind", () => {
  const graph = convGraph({ cin: 5, cout: 9, k: 3, pad: 1, h: 5, w: 4 });
  const feeds = randomFeeds(graph, 3);
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  afterEach(() => warn.mockClear());

  test("moves live models to baseline with the same bytes, and says so once", async () => {
    const probe = found("u8s8", "u8s8-saturating");
    const engine = new Engine(exactSources, () => probe);
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
    expect(probe.hot).toHaveBeenCalledOnce();
  });

  test("leaves a model in the class it was asked for", async () => {
    const engine = new Engine(exactSources, () => found("u8s8", "broken"));
    const model = new Model(graph, registry, engine, { engineClass: "relaxed" });
    expect(engine.info.engineClass).toBe("relaxed");
    await turn();
    model.runSync(feeds);
    expect(model.engine).toMatchObject({ engineClass: "relaxed", reason: "asked for" });
  });

  test("does not bring back a disposed model", async () => {
    const model = new Model(graph, registry, new Engine(exactSources, () => found("u8s8", "broken")));
    await turn();
    model.dispose();
    expect(() => model.runSync(feeds)).toThrow(expect.objectContaining({ code: "disposed" }));
  });

  test("that does not is left alone", async () => {
    const engine = new Engine(exactSources, () => found("u8s8"));
    const model = new Model(graph, registry, engine);
    await turn();
    model.runSync(feeds);
    expect(model.plan.engineClass).toBe("relaxed");
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("a runtime that carries few classes", () => {
  const { common, baseline, relaxed } = inlined;

  test("runs baseline where it has no other, and says so", () => {
    const { info } = new Engine({ common, baseline }, () => found("u8s8"));
    expect(info).toMatchObject({
      engineClass: "baseline",
      reason: expect.stringMatching(/carries no other/),
    });
  });

  test("names the class it lacks, and the way out", () => {
    const engine = new Engine({ common, relaxed }, () => found("absent"));
    expect(() => new Model(denseGraph({ k: 3, n: 2, mode: "static" }), registry, engine)).toThrow(
      expect.objectContaining({
        code: "engine",
        message: expect.stringMatching(/^wasm\.baseline: this runtime carries no such kernels.*--class both/),
      }),
    );
  });
});
