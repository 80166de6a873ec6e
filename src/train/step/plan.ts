// A step, compiled.

import { compile } from "../../engine/compile";
import { maximaFor } from "../../engine/feeds";
import type { Plan } from "../../engine/plan";
import type { EngineClass } from "../../engine/wasm";
import type { Graph } from "../../graph/graph";
import type { Registry } from "../../ops/infer";
import { rowsOf } from "../ops/rows";
import { training } from "../training";
import { ROUND } from "./micro-batches";
import type { Parameter } from "./prepare";
import { type Step, type StepOptions, stepOf } from "./step";

/** The plan of a step for batches of so many samples, of other ops than those of training where a registry has them. */
export function planOf(
  { graph, entries, state, rounds }: Step,
  batch: number,
  engineClass: EngineClass,
  registry: Registry = training.ops,
): Plan {
  const round = rounds && { [rowsOf(rounds.symbol)]: rounds.size };
  return compile(graph, {
    registry,
    engineClass,
    maxima: { ...maximaFor(graph.inputs, batch), ...round },
    state,
    entries,
  });
}

/**
 * Whether a step takes less memory where its backward pass runs in rounds. The order of sums depends on it, so it must not depend on
 * the engine, nor on whether gradients are kept.
 */
export function takesRounds(graph: Graph, parameters: readonly Parameter[], options: StepOptions): boolean {
  if (options.batch <= ROUND) return false;
  const bytesOf = (inRounds: boolean) => {
    const step = stepOf(graph, parameters, { ...options, keepsGradients: false, inRounds });
    const { memory } = planOf(step, options.batch, "baseline", options.training?.ops);
    return memory.constantBytes + memory.arenaBytes;
  };
  return bytesOf(true) < bytesOf(false);
}
