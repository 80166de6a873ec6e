// How good and how fast models are, as the toolkit exports it: what it takes is loaded with the first call.

import type { Model } from "../engine/model";
import type { Graph } from "../graph/graph";
import type { LongCallOptions } from "../long-call";
import type { LoadOptions } from "../runtime/runtime";
import { runtimeFor } from "../runtime/runtime-of-toolkit";
import { checked } from "../toolkit/save";
import { type ToolkitOptions, toolkitIn } from "../toolkit/toolkit";
import type { Benchmark, BenchmarkOptions } from "./benchmark";
import type { Comparison, EvaluateOptions, Evaluation, EvaluationData, Runnable } from "./evaluate";

/** How good a model is on data: accuracy, agreement with another model, noise. See EvaluateOptions. */
export async function evaluate(
  model: Model,
  data: EvaluationData,
  options: EvaluateOptions & ToolkitOptions = {},
): Promise<Evaluation> {
  const [toolkit, rest] = toolkitIn<EvaluateOptions>(options);
  const [{ evaluate }] = await Promise.all([import("./evaluate"), toolkit.preload()]);
  const loadWith = (graph: Graph, given?: LoadOptions) =>
    runtimeFor(toolkit).loadGraphSync(checked(graph, toolkit), given);
  return evaluate(model, data, rest, loadWith, toolkit.ops);
}

/** How two models differ on the same data, output by output. `reference` is the signal; labels are not needed. */
export async function compare(
  model: Runnable,
  reference: Runnable,
  data: EvaluationData,
  options: LongCallOptions = {},
): Promise<Comparison> {
  const { compare } = await import("./evaluate");
  return compare(model, reference, data, options);
}

/** Runs a model on the same feeds again and again and reports medians. */
export async function benchmark(model: Model, options: BenchmarkOptions = {}): Promise<Benchmark> {
  const { benchmark } = await import("./benchmark");
  return benchmark(model, options);
}
