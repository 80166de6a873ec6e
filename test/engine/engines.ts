// The engine classes, and a model of a graph in one of them. Where this engine's own relaxed dot product is not exact over
// u8·s8, the relaxed class runs with one that is (exact-dot.ts): the same module, that instruction replaced.

import { vi } from "vitest";
import exactLanguageBytes from "../../build/test/languageRelaxed-u8s8.wasm";
import exactRecurrentBytes from "../../build/test/recurrentInt8Relaxed-u8s8.wasm";
import signedBytes from "../../build/test/relaxed-s8s8.wasm";
import exactBytes from "../../build/test/relaxed-u8s8.wasm";
import { relaxedClass } from "../../src/engine/classes";
import { probeRelaxedDot, type RelaxedDot } from "../../src/engine/features";
import { inlined } from "../../src/engine/inlined";
import { createModel, Model, type ModelOptions } from "../../src/engine/model";
import type { Plan, Ready } from "../../src/engine/plan";
import { ThreadPool } from "../../src/engine/thread-pool";
import { type Carried, Engine, type EngineClass } from "../../src/engine/wasm";
import type { Graph } from "../../src/graph/graph";
import { toolkitOps as registry } from "../../src/ops/toolkit";
import type { CreateModel } from "./cuts";

export const engineClasses: readonly EngineClass[] = ["baseline", "extmul", "relaxed"];

/** The relaxed class where its dot product is exact over u8·s8, found by an engine that finds this. */
export const relaxedWhere = (cold: RelaxedDot, hot = () => cold) =>
  relaxedClass(probeRelaxedDot().cold === "u8s8" ? inlined.relaxed.wasm : exactBytes, () => ({ cold, hot }));

/** As `relaxedWhere`, where its dot product is exact over s8·s8. */
export const signedWhere = (cold: RelaxedDot, hot = () => cold) =>
  relaxedClass(signedBytes, () => ({ cold, hot }));

/** Modules under which every class is exact here. */
export const exactSources: Carried =
  probeRelaxedDot().cold === "u8s8"
    ? inlined
    : {
        ...inlined,
        relaxed: relaxedWhere(probeRelaxedDot().cold),
        languageRelaxed: exactLanguageBytes,
        recurrentInt8Relaxed: exactRecurrentBytes,
      };

const engine = new Engine(exactSources);

/** Makes models of a class. */
export const creatingIn =
  (engineClass: EngineClass): CreateModel =>
  (graph, options) =>
    new Model(graph, registry, engine, { ...options, engineClass });

/** Runs `use` on a model of the graph and lets it go. */
export function withModel<T>(graph: Graph, options: ModelOptions, use: (model: Model) => T): T {
  const model = new Model(graph, registry, engine, options);
  try {
    return use(model);
  } finally {
    model.dispose();
  }
}

/** What the engine then says that there is. */
export function pretendCores(hardwareConcurrency: number): void {
  if (typeof navigator === "undefined") vi.stubGlobal("navigator", { hardwareConcurrency });
  else
    Object.defineProperty(navigator, "hardwareConcurrency", {
      value: hardwareConcurrency,
      configurable: true,
    });
}

/** Parts of a step, as small as a range can be, at most this many. */
const PARTS = 24;

/**
 * Runs `use` on a model whose every step is computed in parts, the last one first, every other one with scratch of a
 * second thread: in one thread what many do, and worse.
 */
export async function withModelInParts<T>(
  graph: Graph,
  options: ModelOptions,
  use: (model: Model) => T,
): Promise<T> {
  pretendCores(2);
  const start = vi.spyOn(ThreadPool, "start").mockImplementation(() => {
    const inParts = (whole: Ready, memory: Plan["memory"]): Ready => {
      const { step, call, args } = whole;
      if (step.count === undefined) return whole;
      const count = args.at(-1)!;
      const parts = Math.min(PARTS, count);
      const own = args.with(step.scratch, memory.scratchAt);
      const run = () => {
        for (let part = parts - 1; part >= 0; part--) {
          const range = [part, part + 1].map((bound) => Math.floor((count * bound) / parts));
          call(...(part % 2 && step.scratch >= 0 ? own : args).slice(0, -2), ...range);
        }
      };
      return { step, args: [], call: run };
    };
    let memory: Plan["memory"];
    return {
      isUp: true,
      dispose() {},
      enter: (entered: Plan["memory"]) => (memory = entered),
      spread: (whole: Ready) => inParts(whole, memory),
    } as unknown as ThreadPool;
  });
  const model = await createModel(graph, registry, engine, { ...options, threads: 2 });
  try {
    return use(model);
  } finally {
    model.dispose();
    start.mockRestore();
  }
}
