// What a step takes.

import type { Plan } from "../../engine/plan";
import type { EngineClass } from "../../engine/wasm";
import type { GiveWay } from "../../event-loop";
import type { Graph } from "../../graph/graph";
import type { Registry } from "../../ops/infer";
import { CompiledStep } from "./compiled-step";
import { ROUND } from "./micro-batches";
import type { Parameter } from "./prepare";
import { type StepOptions, stepOf, type TrainingStep } from "./step";

/** The plan of a step for batches of so many samples, of other ops than those of training where a registry has them. */
export const planOf = (
  step: TrainingStep,
  batch: number,
  engineClass: EngineClass,
  registry?: Registry,
): Plan => new CompiledStep(step, batch, engineClass, registry).plan;

/**
 * Whether a step takes less memory where its backward pass runs in micro-batches. The order of sums depends on it, so it must not depend on
 * the engine, nor on whether gradients are kept.
 */
export const takesRounds = (graph: Graph, parameters: readonly Parameter[], options: StepOptions): boolean =>
  options.batch > ROUND &&
  stepBytes(graph, parameters, options, true) < stepBytes(graph, parameters, options, false);

/** As `takesRounds`, which makes two plans: gives way after each. */
export async function findRounds(
  graph: Graph,
  parameters: readonly Parameter[],
  options: StepOptions,
  giveWay: GiveWay,
): Promise<boolean> {
  if (options.batch <= ROUND) return false;
  const bytes = stepBytes(graph, parameters, options, true);
  await giveWay();
  const isLess = bytes < stepBytes(graph, parameters, options, false);
  await giveWay();
  return isLess;
}

function stepBytes(
  graph: Graph,
  parameters: readonly Parameter[],
  options: StepOptions,
  inRounds: boolean,
): number {
  const step = stepOf(graph, parameters, { ...options, keepsGradients: false, inRounds });
  const { memory } = planOf(step, options.batch, "baseline", options.training?.ops);
  return memory.constantBytes + memory.arenaBytes;
}
