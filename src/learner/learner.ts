// A model that learns while it serves: `run` has a worker of its own, tuning another, and the tuned model takes the place of the one
// before between two runs. One class, because every method asks which worker serves, whether one tunes and whether it is disposed; half
// of the file is the reference of its options.

import type { Dataset } from "../data/dataset";
import { packDataset } from "../data/packed";
import { arrayFor, type Feeds, type Into } from "../engine/feeds";
import type { Model, ModelOptions } from "../engine/model";
import type { EngineInfo } from "../engine/wasm";
import { OctetteError } from "../errors";
import { checkWritable } from "../files/write-file";
import type { Input } from "../graph/graph";
import type { Bindings } from "../graph/symbols";
import type { OutputTensor } from "../graph/tensor";
import type { Progress } from "../long-call";
import { checkOptions, type Names } from "../options";
import type { CheckpointState } from "../train/checkpoint/checkpoint";
import type { EpochReport, StepReport, TuneOptions, TuneSummary } from "../train/index";
import { checkTuneOptions, TUNE, type TuneDeployedOptions } from "../train/run/tune-options";
import { copied } from "./feeds";
import type { CheckpointOrder, Guarded, LearningBegin, ModelFacts, ServedOptions } from "./jobs";
import { LocalHand } from "./local-hand";
import { openPort } from "./ports";
import { type Hand, WorkerHand } from "./workers";

/** Options of `createLearner`. */
export interface LearnerOptions
  extends Pick<ModelOptions, "maxima" | "maxBytes" | "maxIterations" | "engineClass"> {
  /**
   * Whether the model and its tuning run in workers (default, where there are any), and where the file of `octette/learner-worker.js` is
   * served, for pages whose bundler leaves it out. `false`: in the caller's own thread, which `pace` leaves its turns.
   */
  readonly worker?: boolean | URL | string | undefined;
  /** Bytes of the wasm modules that the model and its training need, by name; default all that octette has. */
  readonly wasm?: Readonly<Record<string, Uint8Array>> | undefined;
}

/** Where the checkpoints of a learner's tuning go. */
export interface LearnerCheckpoint {
  /**
   * A file (Node), written by the worker, whole, and kept until the next run replaces it: a process that was killed before it saved the tuned
   * model comes to the same model again. A disk that is full costs the checkpoint, not the run: the warnings say so. Default: none.
   */
  readonly path?: string | undefined;
  /** Goes on from the file where it is of the same model, data and options, else from the beginning, with a warning. Default false. */
  readonly resume?: boolean | undefined;
  /** Without a file: the state to go on from; default the beginning. */
  readonly state?: CheckpointState | undefined;
  /** Steps from one checkpoint to the next; default 50. */
  readonly every?: number | undefined;
  /** Without a file: keeps a state; a promise that it returns is awaited. */
  save?(state: CheckpointState): void | Promise<void>;
}

const CHECKPOINT = { path: 1, resume: 1, state: 1, every: 1, save: 1 } satisfies Names<LearnerCheckpoint>;

/** Samples that watch over what is learned, such as against wrong labels. */
export interface Guard {
  /** Held-out samples with labels that can be trusted. */
  readonly data: Dataset;
  /** Percent that a tuned model may lose on them and still replace the model before; default 0. */
  readonly tolerance?: number | undefined;
}

const GUARD = { data: 1, tolerance: 1 } satisfies Names<Guard>;

/** Options of `learner.tune`. */
export interface LearnOptions
  extends Omit<TuneOptions, "augment" | "checkpoint" | "onBegin" | "onStep" | "onEpoch" | "onProgress"> {
  /** Samples that never train: a tuned model that does worse on them is not taken. Default: none. */
  readonly guard?: Guard | undefined;
  /** Whether the tuned model replaces the one that runs, where it is better; default true. */
  readonly swap?: boolean | undefined;
  /** Where checkpoints go, and which one to go on from. Default: there are none. */
  readonly checkpoint?: LearnerCheckpoint | undefined;
  /** Told before the first step. */
  onBegin?(begin: LearningBegin): unknown;
  /** Told after every step. In a worker, tuning does not wait for what it returns. */
  onStep?(step: StepReport): unknown;
  /** Told after every epoch, likewise. */
  onEpoch?(epoch: EpochReport): unknown;
  /** Told how far the work is, likewise. */
  onProgress?(progress: Progress): unknown;
}

/** What tuning came to. */
export interface Learned {
  /** Whether the tuned model is better than the one before: by the validation samples, and no worse by those of the guard. */
  readonly isBetter: boolean;
  /** The better model, an .octette; the one before where none is better. */
  readonly artifact: Uint8Array;
  readonly summary: TuneSummary;
  /** With a guard, how good both models are on its samples; absent where no state was better than the model before. */
  readonly guarded?: Guarded;
  /** Why the tuned model does not run: it is no better, or another one was put in by `replace` or `apply` while it was tuned. */
  readonly reason?: string;
}

const REPLACED = "another model was put in meanwhile, and stays";

const EVENTS = ["onBegin", "onStep", "onEpoch", "onProgress"] as const;

/** Made by `createLearner`. It has a model's API: `run`, `inputs`, `outputs`, `classes`, `dispose`. */
export class Learner {
  readonly #options: LearnerOptions;
  readonly #base: Uint8Array;
  #artifact: Uint8Array;
  #facts: ModelFacts;
  #serving: Hand;
  /** Restarts the serving worker, once for all runs that find it ended. */
  #restarting: Promise<void> | undefined;
  /** The worker beside it, for all calls that use one at the time. */
  #working: { readonly hand: Promise<Hand>; users: number } | undefined;
  #reason: string;
  #isTuning = false;
  #isDisposed = false;
  /** Swaps follow each other. */
  #swaps: Promise<unknown> = Promise.resolve();

  private constructor(artifact: Uint8Array, options: LearnerOptions, { hand, reason, facts }: Serving) {
    this.#base = artifact;
    this.#artifact = artifact;
    this.#options = options;
    this.#serving = hand;
    this.#reason = reason;
    this.#facts = facts;
  }

  /** @internal */
  static async create(artifact: Uint8Array, options: LearnerOptions): Promise<Learner> {
    return new Learner(artifact, options, await serve(artifact, options));
  }

  get inputs(): readonly Input[] {
    return this.#facts.inputs;
  }

  get outputs(): Model["outputs"] {
    return this.#facts.outputs;
  }

  /** Names of the classes, in the order of the last dimension of the first output, where the artifact has them. */
  get classes(): readonly string[] | undefined {
    return this.#facts.classes;
  }

  /** Which class of kernels runs, and why. */
  get engine(): EngineInfo {
    return this.#facts.engine;
  }

  /** Bytes of wasm memory that the model holds. */
  get bytes(): number {
    return this.#facts.bytes;
  }

  /** Whether the model and its tuning run in workers. */
  get hasWorker(): boolean {
    return this.#serving instanceof WorkerHand;
  }

  /** Why they do, or do not. */
  get workerReason(): string {
    return this.#reason;
  }

  /**
   * Runs the model, as `model.run` does: feeds are copied once and moved to the worker, those over a SharedArrayBuffer are read where they
   * are, and must stay as they are until the promise settles. Runs that were asked for before a swap finish on the model before; none is rejected.
   */
  async run(feeds: Feeds, into?: Into, symbols?: Bindings): Promise<Record<string, OutputTensor>> {
    this.#checkUp();
    if (!this.#serving.isUp) await this.#restart();
    const isApart = this.hasWorker;
    const outputs = await this.#serving.call("run", { feeds: isApart ? copied(feeds) : feeds, symbols });
    if (!into) return outputs;
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { dtype, shape, data }]) => {
        const array = arrayFor(name, dtype, data.length, into);
        array.set(data);
        return [name, { dtype, shape, data: array } as OutputTensor];
      }),
    );
  }

  /**
   * Fine-tunes the model that runs now, as `tune` does and to the same bytes, while it goes on running. The state that does best on
   * validation samples takes its place, where it is better than the model before and, with a `guard`, no worse on its samples.
   * Without a worker, steps leave the thread its turns: see `pace`, here by default 8 ms of work at a time and 30 % of the time.
   * @throws OctetteError "argument" where options or data do not fit, or where it is tuning already; the signal's reason.
   */
  async tune(options: LearnOptions): Promise<Learned> {
    this.#checkUp();
    checkLearnOptions(options);
    const {
      guard,
      swap = true,
      checkpoint,
      signal,
      data,
      validation,
      onBegin,
      onStep,
      onEpoch,
      onProgress,
      ...rest
    } = options;
    if (this.#isTuning)
      throw new OctetteError("is tuning already", {
        code: "argument",
        where: "learner",
        hint: "Await that, or abort it by its signal",
      });
    this.#isTuning = true;
    try {
      if (checkpoint?.path !== undefined) await checkWritable(checkpoint.path);
      const listeners = { onBegin, onStep, onEpoch, onProgress };
      const artifact = this.#artifact;
      const { artifact: tuned, ...result } = await this.#withWorker((hand) =>
        hand.call(
          "tune",
          {
            artifact: new Uint8Array(artifact),
            data: packDataset(data),
            validation: typeof validation === "object" ? packDataset(validation) : validation,
            guard: guard && { data: packDataset(guard.data), tolerance: guard.tolerance ?? 0 },
            checkpoint: checkpoint && orderOf(checkpoint),
            hears: EVENTS.filter((event) => listeners[event]),
            options: hand instanceof LocalHand ? { pace: PACE, ...rest } : rest,
          },
          {
            signal,
            onEvent: (event, value) =>
              event === "onCheckpoint"
                ? checkpoint?.save?.(value as CheckpointState)
                : listeners[event as keyof typeof listeners]?.(value as never),
          },
        ),
      );
      const learned = { ...result, isBetter: tuned !== undefined, artifact: tuned ?? artifact };
      if (!tuned || !swap) return learned;
      // A model that was put in while this one was tuned was asked for later: it stays.
      const isIn = await this.#swap(() => (this.#artifact === artifact ? tuned : undefined));
      return isIn ? learned : { ...learned, reason: REPLACED };
    } finally {
      this.#isTuning = false;
    }
  }

  /**
   * The delta that makes the model that runs now of another artifact, by default of the one that the learner began with. The same bytes as
   * `octette delta`.
   */
  async createDelta(base: Uint8Array = this.#base): Promise<Uint8Array> {
    this.#checkUp();
    return this.#withWorker((hand) => hand.call("delta", { base, tuned: this.#artifact }));
  }

  /**
   * Applies a delta that was made for the model that runs now, or for the one that the learner began with, and goes on with the result. Throws an
   * OctetteError where it is for another, FormatError where it is damaged: the model before goes on.
   */
  async apply(delta: Uint8Array): Promise<void> {
    this.#checkUp();
    const copy = new Uint8Array(delta);
    await this.#swap(() => {
      const bases = this.#artifact === this.#base ? [this.#base] : [this.#artifact, this.#base];
      return this.#withWorker((hand) => hand.call("apply", { bases, delta: copy }));
    });
  }

  /** Goes on with another artifact, such as the last good one: as after tuning, runs under way finish on the model before. */
  async replace(artifact: Uint8Array): Promise<void> {
    this.#checkUp();
    const copy = new Uint8Array(artifact);
    await this.#swap(() => copy);
  }

  /** The artifact that runs now: bytes of an .octette. */
  save(): Uint8Array {
    return this.#artifact.slice();
  }

  /** Ends the workers and lets go of the memory. Twice is harmless; what is under way rejects with an OctetteError "disposed". */
  dispose(): void {
    this.#isDisposed = true;
    this.#serving.dispose();
    if (this.#working) endOf(this.#working.hand);
  }

  /** As `dispose`: for `using learner = await createLearner(bytes)`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #checkUp(): void {
    if (this.#isDisposed)
      throw new OctetteError("the learner was disposed", { code: "disposed", hint: "Create it again" });
  }

  /** Goes on with the artifact that is `next` once swaps before are done; where that is none, with the one that runs. Says whether it is in. */
  async #swap(next: () => Uint8Array | undefined | Promise<Uint8Array>): Promise<boolean> {
    const swapping = this.#swaps.then(async () => {
      const artifact = await next();
      if (!artifact) return false;
      if (!this.#serving.isUp) await this.#restart();
      this.#facts = await this.#serving.call("load", { artifact, options: servedIn(this.#options) });
      this.#artifact = artifact;
      return true;
    });
    this.#swaps = swapping.catch(() => {});
    return swapping;
  }

  /** Loads the model anew in another worker, where that before has ended by itself. */
  #restart(): Promise<void> {
    this.#restarting ??= (async () => {
      try {
        const { hand, reason, facts } = await serve(this.#artifact, this.#options);
        [this.#serving, this.#reason, this.#facts] = [hand, reason, facts];
        if (this.#isDisposed) hand.dispose();
      } finally {
        this.#restarting = undefined;
      }
    })();
    return this.#restarting;
  }

  /**
   * Does work in a second worker, or in this thread on hosts without workers. Calls at the same time share the worker. The last call ends it,
   * which frees the memory of training steps.
   */
  async #withWorker<T>(work: (hand: Hand) => Promise<T>): Promise<T> {
    this.#checkUp();
    if (!this.hasWorker) return work(this.#serving);
    this.#working ??= { hand: start(this.#options).then(({ hand }) => hand), users: 0 };
    const working = this.#working;
    working.users++;
    try {
      return await work(await working.hand);
    } finally {
      if (--working.users === 0) {
        this.#working = undefined;
        endOf(working.hand);
      }
    }
  }
}

/** Ends a worker once it has started; where it cannot start, its users are told. */
const endOf = (hand: Promise<Hand>): void =>
  void hand.then(
    (started) => started.dispose(),
    () => {},
  );

/** What tuning takes of a thread that does other things, too. */
const PACE = { blockMs: 8, share: 0.3 } as const;

interface Started {
  readonly hand: Hand;
  readonly reason: string;
}

/** Development servers of Vite 6 and 7 move octette's own script and leave out what lies beside it. */
const isDevelopedWithVite = (import.meta as { env?: { DEV?: boolean } }).env?.DEV;

/** A worker where there is to be one and can be one. */
async function start({ worker = true, wasm }: LearnerOptions): Promise<Started> {
  if (worker === false)
    return { hand: await LocalHand.start(), reason: "none is asked for: { worker: true }" };
  try {
    const script = worker === true ? undefined : worker;
    const kernels = wasm ?? (await import("./wasm")).kernels();
    const hand = await WorkerHand.start(openPort(script), kernels).catch(async (cause) => {
      if (script || !isDevelopedWithVite) throw cause;
      return WorkerHand.start(openPort((await import("./served-worker")).url), kernels);
    });
    return { hand, reason: "workers run here" };
  } catch (cause) {
    return { hand: await LocalHand.start(), reason: `no worker can be started: ${(cause as Error).message}` };
  }
}

interface Serving extends Started {
  readonly facts: ModelFacts;
}

/** Starts who serves a model, which is loaded there. */
async function serve(artifact: Uint8Array, options: LearnerOptions): Promise<Serving> {
  const started = await start(options);
  try {
    return {
      ...started,
      facts: await started.hand.call("load", { artifact, options: servedIn(options) }),
    };
  } catch (error) {
    started.hand.dispose();
    throw error;
  }
}

const servedIn = ({ maxima, maxBytes, maxIterations, engineClass }: LearnerOptions): ServedOptions =>
  Object.fromEntries(
    Object.entries({ maxima, maxBytes, maxIterations, engineClass }).filter(
      ([, value]) => value !== undefined,
    ),
  );

/** Checks what only this thread can; the rest is checked where tuning runs. */
const { augment: _, ...TUNED } = TUNE;
const LEARN = { ...TUNED, bits: 1, classes: 1, guard: 1, swap: 1 } satisfies Names<LearnOptions>;

function checkLearnOptions(options: LearnOptions): void {
  const fail = (where: string, expected: string, got: unknown, hint?: string) =>
    new OctetteError("an option of tune does not fit", {
      code: "argument",
      where,
      expected,
      got: typeof got === "number" ? `${got}` : got === "" ? '""' : typeof got,
      ...(hint ? { hint } : {}),
    });
  const { guard, checkpoint, data, ...rest } = Object(options) as LearnOptions;
  if ("augment" in rest && rest.augment)
    throw fail(
      "augment",
      "none: a function cannot be sent to a worker",
      rest.augment,
      "Push augmented samples, or take flip",
    );
  checkOptions("learner.tune", rest, LEARN);
  if (typeof data?.batches !== "function")
    throw fail("data", "a data set", data, "openDataset, createDataset or createSamples make one");
  checkTuneOptions({ ...rest, data } as unknown as TuneDeployedOptions);
  if (guard) {
    checkOptions("guard", guard, GUARD);
    if (typeof guard.data?.batches !== "function" || !guard.data.labels)
      throw fail("guard.data", "a data set with labels", guard.data);
    if (guard.data.count === 0) throw fail("guard.data", "samples", 0);
    if (guard.tolerance !== undefined && !(guard.tolerance >= 0 && guard.tolerance <= 100))
      throw fail("guard.tolerance", "percent, from 0 to 100", guard.tolerance);
  }
  if (!checkpoint) return;
  checkOptions("checkpoint", checkpoint, CHECKPOINT);
  const { path } = checkpoint;
  if (path === undefined && typeof checkpoint.save !== "function")
    throw fail("checkpoint", "a path, or a function save", checkpoint);
  if (path !== undefined && (typeof path !== "string" || path === ""))
    throw fail("checkpoint.path", "the path of a file", path);
}

const orderOf = ({ path, state, every, resume = false }: LearnerCheckpoint): CheckpointOrder =>
  path === undefined ? { state, every } : { path, every, resume };
