// The engine classes, and a model of a graph in one of them. Where this engine's own relaxed dot product is not exact over
// u8·s8, the relaxed class runs with one that is (exact-dot.ts): the same module, that instruction replaced.

import exactBytes from "../../build/test/relaxed-exact.wasm";
import { probeRelaxedDot } from "../../src/engine/features";
import { inlined } from "../../src/engine/inlined";
import { Model, type ModelOptions } from "../../src/engine/model";
import { Engine, type EngineClass, type WasmSources } from "../../src/engine/wasm";
import type { Graph } from "../../src/graph/graph";
import { registry } from "../../src/ops/index";

export const engineClasses: readonly EngineClass[] = ["baseline", "relaxed"];

/** Modules under which every class is exact here. */
export const exactSources: WasmSources =
  probeRelaxedDot().cold === "u8s8" ? inlined : { ...inlined, relaxed: exactBytes };

const engine = new Engine(exactSources);

/** Runs `use` on a model of the graph and lets it go. */
export function withModel<T>(graph: Graph, options: ModelOptions, use: (model: Model) => T): T {
  const model = new Model(graph, registry, engine, options);
  try {
    return use(model);
  } finally {
    model.dispose();
  }
}
