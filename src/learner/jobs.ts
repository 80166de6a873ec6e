// What a learner has done elsewhere: in workers, or, where there are none, in the thread of its caller. Each job takes and gives plain
// data that may cross threads.

import { type PackedDataset, unpackDataset } from "../data/packed";
import type { Feeds } from "../engine/feeds";
import type { Model, ModelOptions } from "../engine/model";
import { FormatError } from "../errors";
import { givingWay } from "../event-loop";
import { applyDelta, writeDelta } from "../formats/delta";
import { readArtifact } from "../formats/octette";
import type { Graph } from "../graph/graph";
import type { Bindings } from "../graph/symbols";
import type { OutputTensor } from "../graph/tensor";
import type { Progress } from "../long-call";
import { type Runtime, runtimeOf } from "../runtime/runtime";
import { save } from "../toolkit/save";
import { toolkit } from "../toolkit/toolkit";
import type { CheckpointState } from "../train/checkpoint/checkpoint";
import type { EpochReport, StepReport, Tuned, TuneOptions, TuneSummary } from "../train/index";
import type { BeginReport } from "../train/run/tune-options";
import { type Validation, validateGraph } from "../train/run/validate";

/** What is told of a learner's tuning before its first step. */
export interface LearningBegin extends Omit<BeginReport, "validation"> {
  /** Samples that choose the state which is kept. */
  readonly validated: number;
}

/** What a job tells while it works. */
export interface Events {
  onBegin: LearningBegin;
  onStep: StepReport;
  onEpoch: EpochReport;
  onProgress: Progress;
  onCheckpoint: CheckpointState;
}

/** The thread that a job works for. */
export interface JobContext {
  readonly signal: AbortSignal;
  tell<E extends keyof Events>(event: E, value: Events[E]): void;
  /** As `tell`, and waits for what was done about it. */
  ask<E extends keyof Events>(event: E, value: Events[E]): Promise<void>;
}

/** What is known of a model that is loaded elsewhere. */
export type ModelFacts = Pick<Model, "inputs" | "outputs" | "classes" | "engine" | "bytes">;

export type ServedOptions = Pick<ModelOptions, "maxima" | "maxBytes" | "maxIterations" | "engineClass">;

/** Where checkpoints go: a file of the job's own, or back to the caller. */
export type CheckpointOrder =
  | { readonly path: string; readonly every?: number | undefined; readonly resume: boolean }
  | { readonly state: CheckpointState | undefined; readonly every?: number | undefined };

export interface TuneOrder {
  readonly artifact: Uint8Array;
  readonly data: PackedDataset;
  readonly validation: PackedDataset | number | undefined;
  readonly guard: { readonly data: PackedDataset; readonly tolerance: number } | undefined;
  readonly checkpoint: CheckpointOrder | undefined;
  /** Events that somebody listens to. */
  readonly hears: readonly (keyof Events)[];
  /** What else `tune` takes. */
  readonly options: Omit<TuneOptions, "data" | "validation" | "checkpoint" | "augment" | keyof Events>;
}

/** How good the model before and the tuned one are on samples that neither was trained on. */
export interface Guarded {
  readonly before: Validation;
  readonly after: Validation;
}

export interface TuneResult {
  /** The tuned model; absent where the model before is kept. */
  readonly artifact?: Uint8Array<ArrayBuffer>;
  readonly summary: TuneSummary;
  readonly guarded?: Guarded;
  /** Why the model before is kept. */
  readonly reason?: string;
}

/** How a graph is tuned as ordered; `warnings` stand beside those of its summary. */
export type Tuning = (
  graph: Graph,
  order: TuneOrder,
  context: JobContext,
) => Promise<{ readonly tuned: Tuned; readonly warnings: readonly string[] }>;

export class Jobs {
  readonly #tuning: Tuning;
  #runtime: Runtime | undefined;
  #model: Model | undefined;

  constructor(tuning: Tuning) {
    this.#tuning = tuning;
  }

  /** Loads the model that `run` runs, in place of the one before. */
  async load({ artifact, options }: { artifact: Uint8Array; options: ServedOptions }): Promise<ModelFacts> {
    this.#runtime ??= runtimeOf(toolkit);
    const model = await this.#runtime.load(artifact, options);
    // Runs are synchronous: none is under way.
    this.#model?.dispose();
    this.#model = model;
    const { inputs, outputs, classes, engine, bytes } = model;
    return { inputs, outputs, classes, engine, bytes };
  }

  run({ feeds, symbols }: { feeds: Feeds; symbols?: Bindings | undefined }): Record<string, OutputTensor> {
    return this.#model!.runSync(feeds, {}, symbols);
  }

  async tune(order: TuneOrder, context: JobContext): Promise<TuneResult> {
    const { graph } = readArtifact(order.artifact, "model");
    const { tuned, warnings } = await this.#tuning(graph, order, context);
    const summary = { ...tuned.summary, warnings: [...tuned.summary.warnings, ...warnings] };
    if (summary.best === 0) return { summary, reason: summary.warnings.join("; ") };
    const guarded = order.guard && (await judged([graph, tuned.graph], order, context));
    const result = { summary, ...(guarded && { guarded }) };
    if (guarded && guarded.after.accuracy < guarded.before.accuracy - order.guard!.tolerance)
      return { ...result, reason: worse(guarded, order.guard!.tolerance) };
    return { ...result, artifact: save(tuned.graph, { maxBytes: order.options.maxBytes }) };
  }

  delta({ base, tuned }: { base: Uint8Array; tuned: Uint8Array }): Uint8Array<ArrayBuffer> {
    return writeDelta(base, tuned);
  }

  /** The artifact that a delta makes of the first of these that it is for. */
  apply({ bases, delta }: { bases: readonly Uint8Array[]; delta: Uint8Array }): Uint8Array<ArrayBuffer> {
    const [base, ...others] = bases as readonly [Uint8Array, ...Uint8Array[]];
    try {
      return applyDelta(base, delta);
    } catch (error) {
      if (error instanceof FormatError || others.length === 0) throw error;
      return this.apply({ bases: others, delta });
    }
  }

  dispose(): void {
    this.#model?.dispose();
    this.#model = undefined;
  }
}

const worse = ({ before, after }: Guarded, tolerance: number): string =>
  `the tuned model does worse on the guard's samples: accuracy fell from ${before.accuracy.toFixed(2)} to ${after.accuracy.toFixed(2)} %, by more than ${tolerance}; the model before is kept`;

/** What `tune` is told of an order, but for checkpoints. */
export const tuneOptionsOf = (
  { data, validation, hears, options }: TuneOrder,
  { signal, tell }: JobContext,
): TuneOptions => ({
  ...options,
  data: unpackDataset(data),
  validation: typeof validation === "object" ? unpackDataset(validation) : validation,
  signal,
  ...(hears.includes("onBegin") && {
    onBegin: ({ validation, ...begin }: BeginReport) =>
      tell("onBegin", { ...begin, validated: validation.count }),
  }),
  ...(hears.includes("onStep") && { onStep: (step: StepReport) => tell("onStep", step) }),
  ...(hears.includes("onEpoch") && { onEpoch: (epoch: EpochReport) => tell("onEpoch", epoch) }),
  ...(hears.includes("onProgress") && {
    onProgress: (progress: Progress) => tell("onProgress", progress),
  }),
});

async function judged(
  [before, after]: readonly [Graph, Graph],
  { guard, options }: TuneOrder,
  { signal }: JobContext,
): Promise<Guarded> {
  const data = unpackDataset(guard!.data);
  const giveWay = givingWay(signal, options.pace);
  const judge = (graph: Graph) => validateGraph(graph, data, toolkit.engine, options.maxBytes, giveWay);
  return { before: await judge(before), after: await judge(after) };
}
