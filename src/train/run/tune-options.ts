// What may be asked of fine-tuning, and what it tells.

import type { Dataset } from "../../data/index";
import { OctetteError } from "../../errors";
import type { Pace } from "../../event-loop";
import type { Graph } from "../../graph/graph";
import type { Random } from "../../graph/random";
import type { Tensor } from "../../graph/tensor";
import { LONG_CALL, type LongCallOptions } from "../../long-call";
import { checkOptions, type Names } from "../../options";
import type { CheckpointState } from "../checkpoint/checkpoint";
import type { ActivationScales, RangeOptions } from "../step/activations";
import type { LossTerm } from "../step/losses";
import type { OptimizerOptions } from "../step/optimizers";
import type { Masters, WeightScales } from "../step/prepare";
import type { Choice } from "./budget";
import type { Schedule } from "./schedules";
import type { Trained } from "./select";
import type { Validation } from "./validate";

/** Options of `tune` for a model that is quantized already. */
export interface TuneDeployedOptions extends LongCallOptions {
  /** Samples with labels. */
  readonly data: Dataset;
  /** Samples that choose the state which is kept, or what part of `data` is put aside for that; default a tenth. */
  readonly validation?: Dataset | number | undefined;
  /** A float model whose logits the tuned one learns to give, beside the labels. Default: none. */
  readonly teacher?: Graph | undefined;
  /** What is minimised; default cross-entropy, and with a teacher its divergence, half and half. */
  readonly losses?: readonly LossTerm[] | undefined;
  /** What moves: "all" (default), "bias", "scales", "last:2" (layers) or a pattern of parameter names. */
  readonly train?: Trained | undefined;
  /** Whether ranges of activations stay as calibration found them (default), or follow the batches for a while. */
  readonly ranges?: RangeOptions | undefined;
  /** Whether scales of trained weights follow max|w| (default), or are learned: every step then has a gradient. */
  readonly scales?: WeightScales | undefined;
  /** Whether scales of activations stay (default), or are learned where gradient reaches them. */
  readonly activationScales?: ActivationScales | undefined;
  /** Mirrors half of the images left to right. Default false. */
  readonly flip?: boolean | undefined;
  /**
   * Changes the feeds of a step, such as images shifted or in another light: returns new ones. With no other random numbers than
   * those of `random`, which are each step's own, runs stay repeatable and can be resumed.
   */
  augment?(feeds: Readonly<Record<string, Tensor>>, random: Random): Readonly<Record<string, Tensor>>;
  /** Times that all samples are seen; default 3. */
  readonly epochs?: number | undefined;
  /** Samples of a step; default 64. */
  readonly batch?: number | undefined;
  /** Learning rate at its peak, as in PyTorch; default 0.0005. */
  readonly lr?: number | undefined;
  /** Default SGD with momentum 0.9. Its rate is `lr`. */
  readonly optimizer?:
    | Omit<Extract<OptimizerOptions, { kind: "sgd" }>, "lr">
    | Omit<Extract<OptimizerOptions, { kind: "adamw" }>, "lr">;
  /** How the learning rate goes on; default along a cosine to 0. */
  readonly schedule?: Schedule | undefined;
  /** Largest norm of all gradients together; larger ones are scaled down. Default: none are. */
  readonly clip?: number | undefined;
  /** Steps whose gradients are summed before an update; default 1. */
  readonly accumulate?: number | undefined;
  /**
   * Most wasm memory of a step, and of each model that runs, in bytes or as a size such as "8MB"; default 1 GiB. Where a step would
   * take more, less is trained: smaller parts of a batch, then fewer layers, then scales or biases. `summary.notes` says what.
   */
  readonly maxBytes?: number | string | undefined;
  /** Seed of everything random: the order of samples, what is mirrored, what Dropout drops. Default 0. */
  readonly seed?: number | undefined;
  /** Floats of weights whose codes the model holds, from `quantize`; by default codes are what training starts from. */
  readonly masters?: Masters | undefined;
  /** Where checkpoints go, and the one to go on from. Default: there are none. */
  readonly checkpoint?: {
    /** The state to go on from, as `loadCheckpoint` or `readCheckpoint` give it; default: the beginning. */
    readonly state?: CheckpointState | undefined;
    /** Steps from one checkpoint to the next; default 50. */
    readonly every?: number | undefined;
    /** Keeps a state; a promise that it returns is awaited. */
    save(state: CheckpointState): void | Promise<void>;
  };
  /**
   * Leaves the thread its turns while it works: no more than `blockMs` at a time, between kernels of a step too, and no more than a `share` of
   * the time. What is computed does not depend on it: a smaller batch with `accumulate` makes shorter kernels, and that is another run. Default: a
   * turn between two steps, 8 ms after the last.
   */
  readonly pace?: Pace | undefined;
  /** Told before the first step; a promise that it returns is awaited before tuning goes on. */
  onBegin?(begin: BeginReport): unknown;
  /** Told after every step, likewise. */
  onStep?(step: StepReport): unknown;
  /** Told after every epoch, likewise. */
  onEpoch?(epoch: EpochReport): unknown;
}

const CHECKPOINT = { state: 1, every: 1, save: 1 } satisfies Names<
  NonNullable<TuneDeployedOptions["checkpoint"]>
>;

const PACE = { blockMs: 1, share: 1 } satisfies Names<Pace>;

/** The names of all options. */
export const TUNE = {
  data: 1,
  validation: 1,
  teacher: 1,
  losses: 1,
  train: 1,
  ranges: 1,
  scales: 1,
  activationScales: 1,
  flip: 1,
  augment: 1,
  epochs: 1,
  batch: 1,
  lr: 1,
  optimizer: 1,
  schedule: 1,
  clip: 1,
  accumulate: 1,
  maxBytes: 1,
  seed: 1,
  masters: 1,
  checkpoint: 1,
  pace: 1,
  onBegin: 1,
  onStep: 1,
  onEpoch: 1,
  ...LONG_CALL,
} satisfies Names<TuneDeployedOptions>;

/** Throws where a number is out of its range, or a checkpoint has nowhere to go; what other files check is left to them. */
export function checkTuneOptions(options: TuneDeployedOptions): void {
  const { clip = Infinity, checkpoint } = options;
  const fail = (where: string, expected: string, got: unknown) =>
    new OctetteError("an option of tune is out of range", {
      code: "argument",
      where,
      expected,
      got: typeof got === "string" ? `"${got}"` : String(got),
    });
  const counts = { ...options, "checkpoint.every": checkpoint?.every } as Readonly<Record<string, unknown>>;
  for (const [name, least] of Object.entries({
    epochs: 1,
    batch: 1,
    accumulate: 1,
    seed: 0,
    "checkpoint.every": 1,
  })) {
    const count = counts[name];
    if (count !== undefined && !(Number.isSafeInteger(count) && (count as number) >= least))
      throw fail(name, `a whole number from ${least}`, count);
  }
  const { train = "all" } = options;
  if (typeof train !== "string") throw fail("train", "a text, such as all or last:2", train);
  if (!(typeof clip === "number" && clip > 0)) throw fail("clip", "a number above 0", clip);
  const { pace } = options;
  if (pace !== undefined) {
    checkOptions("pace", pace, PACE);
    const { blockMs = 1, share = 1 } = pace;
    if (!(blockMs > 0 && blockMs < Infinity)) throw fail("pace.blockMs", "milliseconds above 0", blockMs);
    if (!(share > 0 && share <= 1)) throw fail("pace.share", "a share above 0, at most 1", share);
  }
  if (checkpoint === undefined) return;
  checkOptions("checkpoint", checkpoint, CHECKPOINT);
  if (typeof checkpoint.save !== "function") throw fail("checkpoint.save", "a function", checkpoint.save);
}

/** What is about to be done, once memory is planned and the model was tried as it is. */
export interface BeginReport {
  /** Steps that a checkpoint did already, of `steps`. */
  readonly step: number;
  readonly steps: number;
  readonly epochs: number;
  /** Most samples of a step, of how many there are. */
  readonly batch: number;
  readonly samples: number;
  /** The samples that choose the state which is kept, and how good the model is on them before the first step. */
  readonly validation: Dataset;
  readonly before: Validation;
  /** Numbers that are trained. */
  readonly parameters: number;
  /** Bytes of wasm memory that a step takes. */
  readonly bytes: number;
  /** What was chosen to fit the memory. */
  readonly notes: readonly string[];
}

/** What `tune` tells after a step. */
export interface StepReport {
  readonly epoch: number;
  /** From 1, over all epochs, of `steps`. */
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  /** Percent of right answers in this epoch so far. */
  readonly accuracy: number;
  readonly lr: number;
  /** How far an average weight moved since the last report that has it, in steps of its codes. */
  readonly codesPerStep: number | undefined;
}

/** What `tune` tells after an epoch. */
export interface EpochReport {
  readonly epoch: number;
  /** Mean of the steps' losses, and percent of right answers while training. */
  readonly loss: number;
  readonly accuracy: number;
  /** Of the deployed model on the validation samples. */
  readonly validation: Validation;
  /** Weight codes that moved, of all there are. */
  readonly changed: number;
  readonly isBest: boolean;
}

/** What `tune` gives. */
export interface Tuned {
  /** The model to deploy, in its best state. */
  readonly graph: Graph;
  readonly summary: TuneSummary;
}

/** What `tune` did. */
export interface TuneSummary {
  /** On the validation samples, before the first step and in the state that is kept. */
  readonly before: Validation;
  readonly after: Validation;
  /** The epoch whose end is kept; 0 where none was better than before. */
  readonly best: number;
  readonly epochs: readonly EpochReport[];
  readonly trained: readonly string[];
  readonly parameters: number;
  /** Bytes of wasm memory that a step takes. */
  readonly bytes: number;
  /** What was chosen to fit the memory. */
  readonly notes: readonly string[];
  /** Why it stopped early, and what to do about it. */
  readonly warnings: readonly string[];
}

/** What is left out. */
export const defaults = {
  validation: 0.1,
  epochs: 3,
  batch: 64,
  lr: 0.0005,
  seed: 0,
  optimizer: { kind: "sgd", momentum: 0.9 },
  ranges: { kind: "frozen" },
  scales: "follow",
  activationScales: "frozen",
  schedule: { kind: "cosine" },
} as const;

/** Samples of a step where only scales move: their gradients are small enough to be summed over several. */
const SMALL_STEP = 16;

/**
 * What is asked for, in steps of the size that it needs; a model whose batch is fixed takes no other. `isCuttable` where a batch
 * may be cut into micro-batches.
 */
export function choiceOf(
  options: TuneDeployedOptions,
  { inputs }: Graph,
  samples: number,
  isCuttable: boolean,
): Choice {
  const { train = "all", accumulate = 1 } = options;
  const batch = Math.min(options.batch ?? defaults.batch, samples);
  const fixed = inputs[0]!.shape[0];
  if (typeof fixed === "number")
    return { train, batch: fixed, accumulate: accumulate * Math.max(1, Math.floor(batch / fixed)) };
  const isCut = isCuttable && (train === "scales" || train === "bias");
  const parts = isCut ? Math.max(1, Math.floor(batch / SMALL_STEP)) : 1;
  return { train, batch: Math.ceil(batch / parts), accumulate: accumulate * parts };
}

/** Cross-entropy, and half of it distillation where there is a teacher. */
export const lossesFor = ({ teacher }: TuneDeployedOptions): readonly LossTerm[] =>
  teacher
    ? [
        { kind: "crossEntropy", weight: 0.5 },
        { kind: "divergence", weight: 0.5, temperature: 2 },
      ]
    : [{ kind: "crossEntropy" }];
