// Fine-tuning, as the toolkit exports it, from whatever was imported. What it takes is loaded with the first call.

import type { Graph } from "../graph/graph";
import { type ToolkitOptions, toolkitIn } from "../toolkit/toolkit";
import type { TuneDeployedOptions, Tuned } from "./run/tune-options";

export type { ConstantSchedule, CosineSchedule, Schedule, StepSchedule, WarmUp } from "./run/schedules";
export type { Trained } from "./run/select";
export type {
  BeginReport,
  EpochReport,
  StepReport,
  TuneDeployedOptions,
  Tuned,
  TuneSummary,
} from "./run/tune-options";
export type { Validation } from "./run/validate";
export type { ActivationScales, RangeOptions } from "./step/activations";
export type { LossTerm } from "./step/losses";
export type { AdamWOptions, OptimizerOptions, SgdOptions } from "./step/optimizers";
export type { Masters, WeightScales } from "./step/prepare";

/** Options of `tune`. */
export interface TuneOptions extends Omit<TuneDeployedOptions, "teacher"> {
  /**
   * A float model whose logits the tuned one learns to give, beside the labels. "float" is the model itself before
   * quantization: the default where that is what is tuned. "none": labels only.
   */
  readonly teacher?: Graph | "float" | "none";
  /** Bits of weight codes that a float model is quantized to, 2 to 8 (default); "float" leaves it as it is. */
  readonly bits?: number | "float" | undefined;
  /** Names of a classifier's classes, in the order of its scores; the artifact keeps them. Default: those that the graph or, of as many, the data have. */
  readonly classes?: readonly string[] | undefined;
}

/**
 * Fine-tunes a model: what `quantize` or `readArtifact` gave, or a float one, which is quantized first. The same model, options
 * and samples give the same bytes on every engine. What is trained is what is deployed: the forward pass of a step computes
 * the very codes of the artifact. Kept is the state that does best on validation samples, that before tuning included.
 * @throws OctetteError "argument" where options or data do not fit, "unsupported" where a node has no gradient.
 */
export async function tune(graph: Graph, options: TuneOptions & ToolkitOptions): Promise<Tuned> {
  const [toolkit, own] = toolkitIn<TuneOptions>(options);
  const [{ tuneGraph }] = await Promise.all([import("./tune-graph"), toolkit.preload()]);
  return tuneGraph(graph, own, toolkit, async (...args) => {
    const { quantizeWith } = await import("../quantize/quantize-graph");
    return quantizeWith(...args);
  });
}
