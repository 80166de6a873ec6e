// The engine classes that can be tested here, and a model of a graph in one of them.

import { probeRelaxedDot } from "../../src/engine/features";
import { Model, type ModelOptions } from "../../src/engine/model";
import { Engine, type EngineClass } from "../../src/engine/wasm";
import type { Graph } from "../../src/graph/graph";
import { registry } from "../../src/ops/index";

const engine = new Engine();

/** Baseline everywhere, relaxed where its dot product is exact. */
export const engineClasses: readonly EngineClass[] =
  probeRelaxedDot().cold === "u8s8" ? ["baseline", "relaxed"] : ["baseline"];

/** Runs `use` on a model of the graph and lets it go. */
export function withModel<T>(graph: Graph, options: ModelOptions, use: (model: Model) => T): T {
  const model = new Model(graph, registry, engine, options);
  try {
    return use(model);
  } finally {
    model.dispose();
  }
}
