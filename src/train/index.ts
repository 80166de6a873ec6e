// Fine-tuning, from whatever was imported: a float model is quantized first.

import type { Dataset } from "../data/dataset";
import { OctetteError } from "../errors";
import { type Graph, isQuantized } from "../graph/graph";
import { checkGraph } from "../ops/check-graph";
import { nameBySamples, nameClasses } from "../ops/classes";
import { checkOptions, type Names } from "../options";
import { coverNumbers } from "../passes/cover-numbers";
import { quantizeWith } from "../quantize/index";
import { type ToolkitOptions, toolkitIn } from "../toolkit";
import { checkTuneOptions, TUNE, type TuneDeployedOptions, type Tuned } from "./run/tune-options";

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

const NAMES = { ...TUNE, bits: 1, classes: 1 } satisfies Names<TuneOptions>;

const isDataset = (data: unknown): data is Dataset => typeof Object(data).withClasses === "function";

/** Samples that show a float model's ranges. */
const CALIBRATION = 512;

/**
 * Fine-tunes a model: what `quantize` or `readArtifact` gave, or a float one, which is quantized first. The same model, options
 * and samples give the same bytes on every engine. What is trained is what is deployed: the forward pass of a step computes
 * the very codes of the artifact. Kept is the state that does best on validation samples, that before tuning included.
 * @throws OctetteError "argument" where options or data do not fit, "unsupported" where a node has no gradient.
 */
export async function tune(graph: Graph, options: TuneOptions & ToolkitOptions): Promise<Tuned> {
  const [toolkit, own] = toolkitIn<TuneOptions>(options);
  checkOptions("tune", own, NAMES);
  const { teacher, bits, classes, ...given } = own;
  checkTuneOptions(given as TuneDeployedOptions);
  checkGraph(graph, toolkit.ops);
  if (typeof own.data?.sample !== "function")
    throw new OctetteError("there are no samples", {
      code: "argument",
      where: "tune",
      expected: "data: a data set",
      got: typeof own.data,
      hint: "openDataset(file, graph.inputs) makes one",
    });
  // Kernels and gradients of training are loaded by whoever trains.
  const [{ train }, { tuneWith }] = await Promise.all([import("./inlined"), import("./run/tune")]);
  toolkit.carry({ train });
  const covered = nameClasses(coverNumbers(graph, own.data.preprocessing), classes, toolkit.ops);
  const model = nameBySamples(covered, own.data, toolkit.ops);
  const as = <T>(data: T | Dataset): T | Dataset =>
    model.classes && isDataset(data) ? data.withClasses(model.classes) : data;
  const rest = { ...given, data: as(given.data) as Dataset, validation: as(given.validation) };
  const isFloat = !model.nodes.some(isQuantized);
  const isOwn = teacher === undefined || teacher === "float";
  const other = isOwn || teacher === "none" ? undefined : teacher;
  if (!isFloat || bits === "float") return tuneWith(model, { ...rest, teacher: other }, toolkit);
  const calibration = rest.data.sample(CALIBRATION, own.seed ?? 0).batches(32);
  const quantized = await quantizeWith(
    model,
    {
      calibration,
      maxBytes: own.maxBytes,
      signal: own.signal,
      onProgress: own.onProgress,
      ...(bits === undefined ? {} : { bits }),
    },
    toolkit,
  );
  const { masters } = quantized;
  return tuneWith(quantized.graph, { ...rest, teacher: isOwn ? model : other, masters }, toolkit);
}
