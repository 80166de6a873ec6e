// Fine-tuning: from a deployed model and labelled samples to one whose accuracy is back. Kept is the state that does best on
// validation samples, that before the first step included.

import type { Dataset } from "../data/index";
import { sampleIndices } from "../data/sampling";
import { checkFeeds, type Feeds } from "../engine/feeds";
import { Model } from "../engine/model";
import type { Engine } from "../engine/wasm";
import { OctetteError } from "../errors";
import { contentHash } from "../formats/octette";
import type { Graph } from "../graph/graph";
import { Random } from "../graph/random";
import type { Tensor, TypedArray } from "../graph/tensor";
import { registry } from "../ops";
import { type ActivationScales, activationsOf, checkScales, type RangeOptions } from "./activations";
import { flipped } from "./augment";
import { type Breath, breathing } from "./breathe";
import { type Choice, fitMemory } from "./budget";
import type { CheckpointState } from "./checkpoint";
import { LABELS, type Loss, TEACHER } from "./losses";
import { createOptimizer, type OptimizerOptions } from "./optimizers";
import { type Masters, type Parameter, parametersOf, type WeightScales } from "./prepare";
import { checkSameRun } from "./same-run";
import { checkSchedule, learningRate, type Schedule } from "./schedules";
import { select, type Trained } from "./select";
import { type Judgement, Trainer } from "./trainer";
import { checkLabels, isBetter, rightOf, type Validation, validate } from "./validate";

export interface TuneOptions {
  /** Samples with labels. */
  readonly data: Dataset;
  /** Samples that choose the state which is kept, or what part of `data` is put aside for that; default a tenth. */
  readonly validation?: Dataset | number;
  /** A float model whose logits the tuned one learns to give, beside the labels. */
  readonly teacher?: Graph | undefined;
  /** What is minimised; default cross-entropy, and with a teacher its divergence, half and half. */
  readonly losses?: readonly Loss[];
  readonly train?: Trained;
  /** Whether ranges of activations stay as calibration found them (default), or follow the batches for a while. */
  readonly ranges?: RangeOptions;
  /** Whether scales of trained weights follow max|w| (default), or are learned: every step then has a gradient. */
  readonly scales?: WeightScales;
  /** Whether scales of activations stay (default), or are learned where gradient reaches them. */
  readonly activationScales?: ActivationScales;
  /** Mirrors half of the images left to right. */
  readonly flip?: boolean;
  readonly epochs?: number;
  /** Samples of a step. */
  readonly batch?: number;
  /** Peak learning rate, in PyTorch's units. */
  readonly lr?: number;
  /** Default SGD with momentum 0.9. Its rate is `lr`. */
  readonly optimizer?:
    | Omit<Extract<OptimizerOptions, { kind: "sgd" }>, "lr">
    | Omit<Extract<OptimizerOptions, { kind: "adamw" }>, "lr">;
  readonly schedule?: Schedule;
  /** Largest norm of all gradients together; larger ones are scaled down. */
  readonly clip?: number;
  /** Steps whose gradients are summed before an update. */
  readonly accumulate?: number;
  /** Most bytes of wasm memory that a step may take: the most that fits is trained, and the summary says what. */
  readonly memory?: number;
  readonly seed?: number;
  /** Floats of weights whose codes the model holds, from `quantize`; without them codes are what training starts from. */
  readonly masters?: Masters;
  /** Where checkpoints go, every so many steps (default 50), and the one to go on from. */
  readonly checkpoint?: {
    readonly state?: CheckpointState | undefined;
    readonly every?: number;
    save(state: CheckpointState): void | Promise<void>;
  };
  onBegin?(begin: BeginReport): void;
  onStep?(step: StepReport): void;
  onEpoch?(epoch: EpochReport): void;
  /** Stops it with the signal's reason, between two steps, after a last checkpoint. */
  readonly signal?: AbortSignal;
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

export interface Tuned {
  /** The model to deploy, in its best state. */
  readonly graph: Graph;
  readonly summary: TuneSummary;
}

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

const defaults = {
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

/** Updates between two measurements of how far weights move. */
const MEASURED = 25;
/**
 * A mean loss, of about so many steps, that is so many times that of the first step means that steps are too large. A first
 * loss below what guessing among a dozen classes costs says little.
 */
const [RECENT, DIVERGED, GUESSING] = [10, 4, 2.5];
/** What is left of the accuracy before tuning where steps were so large that the rest of them cannot bring it back. */
const FORGOTTEN = 0.5;
/** Steps between two checkpoints. */
const KEPT = 50;

/** What nothing was found of yet. */
const NONE: Validation = { accuracy: 0, loss: Infinity };

const bestOf = (name: string) => `${name}.best`;
const asTensor = (data: TypedArray): Tensor => ({ dtype: dtypeOf(data), shape: [data.length], data });
const dtypeOf = (data: TypedArray) =>
  data instanceof Float32Array ? "f32" : data instanceof Int32Array ? "i32" : "i8";

/**
 * Fine-tunes a model that `quantize` made, or one in float. The same graph, options and samples give the same bytes on every
 * engine. What is trained is what is deployed: the forward pass of a step computes the very codes of the artifact.
 * @throws OctetteError "argument" where options or data do not fit, "unsupported" where a node has no gradient.
 */
export async function tuneWith(graph: Graph, options: TuneOptions, engine: Engine): Promise<Tuned> {
  await engine.prepare(engine.settle().engineClass);
  const tuning = new Tuning(graph, options, engine);
  try {
    return await tuning.run();
  } finally {
    tuning.dispose();
  }
}

/** What a run has come to: all that a checkpoint holds beside the states of the trainer. */
interface Progress {
  /** Steps done. */
  step: number;
  before: Validation;
  lossAtFirst: number;
  lossOfLate: number;
  /** Of this epoch so far: losses times samples, and right answers. */
  losses: number;
  right: number;
  best: { epoch: number; validation: Validation };
  epochs: EpochReport[];
}

class Tuning {
  readonly #graph: Graph;
  readonly #options: TuneOptions & typeof defaults;
  readonly #engine: Engine;
  readonly #data: Dataset;
  readonly #validation: Dataset;
  readonly #parameters: readonly Parameter[];
  readonly #trainer: Trainer;
  readonly #teacher: Model | undefined;
  readonly #breathe: Breath;
  /** Samples of a step, and steps of an update. */
  readonly #batch: number;
  readonly #accumulate: number;
  readonly #perEpoch: number;
  readonly #notes: string[] = [];
  readonly #warnings: string[] = [];
  readonly #identity: string;
  #progress: Progress;
  /** What the graph of the best state is made of. */
  #best: ReadonlyMap<string, Float32Array>;

  constructor(graph: Graph, options: TuneOptions, engine: Engine) {
    this.#graph = graph;
    this.#options = { ...defaults, ...options } as TuneOptions & typeof defaults;
    this.#engine = engine;
    this.#breathe = breathing(options.signal);
    const { data, validation } = divided(options.data, this.#options.validation, this.#options.seed);
    this.#data = data;
    this.#validation = validation;
    const { clip, memory, ranges, scales, activationScales } = this.#options;
    checkScales(scales, activationScales);
    checkSchedule(this.#options.schedule);
    const optimizer = createOptimizer({ ...this.#options.optimizer, lr: this.#options.lr });
    const losses = options.losses ?? lossesFor(options);
    const all = parametersOf(graph, options.masters, scales);
    const wanted = choiceOf(options, graph, data.count);
    const moved = { losses, optimizer, engine, activations: activationsOf(ranges, activationScales, 0) };
    const fitted = memory === undefined ? undefined : fitMemory(graph, all, wanted, memory, moved);
    const { train, batch, accumulate } = fitted ?? wanted;
    if (fitted && (train !== wanted.train || batch !== wanted.batch)) this.#notes.push(fitted.reason);
    this.#batch = batch;
    this.#accumulate = accumulate;
    this.#perEpoch = Math.ceil(data.count / batch);
    this.#parameters = select(all, train);
    this.#trainer = new Trainer(graph, this.#parameters, {
      losses,
      optimizer,
      keepsGradients: clip !== undefined || accumulate > 1,
      activations: activationsOf(ranges, activationScales, this.#perEpoch * this.#options.epochs),
      batch,
      engine,
    });
    const classes = this.#trainer.plan.outputs[1]!.type.shape.at(-1) as number;
    for (const set of [data, validation]) checkLabels(set, classes);
    this.#teacher = options.teacher && this.#model(options.teacher);
    this.#best = this.#trainer.numbers();
    this.#progress = {
      step: 0,
      before: NONE,
      lossAtFirst: 0,
      lossOfLate: 0,
      losses: 0,
      right: 0,
      best: { epoch: 0, validation: NONE },
      epochs: [],
    };
    const { epochs, lr, schedule, seed, flip = false } = this.#options;
    this.#identity = JSON.stringify(
      {
        losses,
        optimizer: { ...optimizer, lr: undefined },
        schedule,
        epochs,
        batch,
        lr,
        clip,
        accumulate,
        seed,
        flip,
        train,
        scales: scales === "follow" ? undefined : scales,
        ranges: ranges.kind === "frozen" ? undefined : ranges,
        activationScales: activationScales === "frozen" ? undefined : activationScales,
        samples: [data.count, validation.count],
        teacher: options.teacher && contentHash(options.teacher),
      },
      (_, value) => (value === Infinity ? "Infinity" : value),
    );
  }

  async run(): Promise<Tuned> {
    await this.#begin();
    try {
      await this.#train();
    } catch (error) {
      if (this.#options.signal?.aborted) await this.#save();
      throw error;
    }
    return this.#result();
  }

  /** Step after step, from where the run stands to its end, or to where there is no use in going on. */
  async #train(): Promise<void> {
    const progress = this.#progress;
    const { epochs, seed, checkpoint } = this.#options;
    const [batch, perEpoch] = [this.#batch, this.#perEpoch];
    let order: Int32Array | undefined;
    while (progress.epochs.length < epochs) {
      const [whole, i] = [Math.floor(progress.step / perEpoch), progress.step % perEpoch];
      // Also where a run goes on that was stopped at the end of an epoch.
      if (progress.epochs.length < whole) {
        if (!(await this.#finish(whole))) return;
      } else {
        if (!order || i === 0) order = shuffled(this.#data.count, randomFor(seed, ORDER, whole + 1));
        const isGood = await this.#advance(order.subarray(i * batch, (i + 1) * batch), whole + 1);
        if (!isGood) return;
        if (progress.step % (checkpoint?.every ?? KEPT) === 0) await this.#save();
      }
    }
  }

  dispose(): void {
    this.#trainer.dispose();
    this.#teacher?.dispose();
  }

  /** Where the run stands: at its beginning, or where a checkpoint left it. */
  async #begin(): Promise<void> {
    const state = this.#options.checkpoint?.state;
    if (state) this.#resume(state);
    else {
      const before = await this.#validate(this.#graph);
      this.#progress = { ...this.#progress, before, best: { epoch: 0, validation: before } };
    }
    this.#options.onBegin?.({
      step: this.#progress.step,
      steps: this.#perEpoch * this.#options.epochs,
      epochs: this.#options.epochs,
      batch: this.#batch,
      samples: this.#data.count,
      validation: this.#validation,
      before: this.#progress.before,
      parameters: this.#size,
      bytes: this.#trainer.bytes,
      notes: this.#notes,
    });
  }

  /** Numbers that are trained. */
  get #size(): number {
    return this.#parameters.reduce((sum, { start }) => sum + start.data.length, 0);
  }

  #resume({ model, tensors, progress }: CheckpointState): void {
    const { identity, ...rest } = progress as unknown as Progress & { identity: string };
    checkSameRun({ model: contentHash(this.#graph), options: this.#identity }, { model, options: identity });
    for (const name of this.#trainer.states) this.#trainer.state(name).set(tensors.get(name)!.data);
    this.#trainer.restored();
    this.#best = new Map(
      [...this.#best.keys()].map((name) => [name, tensors.get(bestOf(name))!.data as Float32Array] as const),
    );
    this.#progress = { ...rest, epochs: [...rest.epochs] };
  }

  /** Saves a checkpoint, where there is a place for it. */
  async #save(): Promise<void> {
    const { checkpoint } = this.#options;
    if (!checkpoint) return;
    const tensors = new Map<string, Tensor>();
    for (const name of this.#trainer.states) tensors.set(name, asTensor(this.#trainer.state(name)));
    for (const [name, master] of this.#best) tensors.set(bestOf(name), asTensor(master));
    const progress = {
      ...this.#progress,
      identity: this.#identity,
    } as unknown as CheckpointState["progress"];
    await checkpoint.save({ model: contentHash(this.#graph), tensors, progress });
  }

  /** A step over these samples. False where there is no use in going on. */
  async #advance(rows: Int32Array, epoch: number): Promise<boolean> {
    await this.#breathe();
    const progress = this.#progress;
    const [step, steps] = [progress.step + 1, this.#perEpoch * this.#options.epochs];
    const { loss, output, lr, codesPerStep } = this.#step(rows, step, steps);
    if (!this.#isSound(loss, step)) return false;
    progress.step = step;
    progress.losses += loss * rows.length;
    progress.right += rightOf(output.data, this.#labelsOf(rows));
    const seen = ((step - 1) % this.#perEpoch) * this.#batch + rows.length;
    const accuracy = (100 * progress.right) / seen;
    this.#options.onStep?.({ epoch, step, steps, loss, accuracy, lr, codesPerStep });
    return true;
  }

  /**
   * The end of an epoch: the deployed model is tried, and kept where it is the best. False where it has forgotten what it
   * knew, which smaller steps would not have done.
   */
  async #finish(epoch: number): Promise<boolean> {
    const progress = this.#progress;
    const validation = await this.#validate(this.#trainer.graph());
    const isBest = isBetter(validation, progress.best.validation);
    if (isBest) {
      progress.best = { epoch, validation };
      this.#best = this.#trainer.numbers();
    }
    const report = {
      epoch,
      loss: progress.losses / this.#data.count,
      accuracy: (100 * progress.right) / this.#data.count,
      validation,
      changed: this.#trainer.takeChanged(),
      isBest,
    };
    progress.epochs.push(report);
    progress.losses = 0;
    progress.right = 0;
    this.#options.onEpoch?.(report);
    const { before } = progress;
    if (validation.accuracy >= FORGOTTEN * before.accuracy) return true;
    this.#warnings.push(
      `stopped behind epoch ${epoch}: accuracy fell from ${before.accuracy.toFixed(2)} to ${validation.accuracy.toFixed(2)} %. Take a smaller lr than ${this.#options.lr}`,
    );
    return false;
  }

  #result(): Tuned {
    const { before, best, epochs } = this.#progress;
    const wayOut =
      before.accuracy < 100
        ? `try a smaller lr than ${this.#options.lr}`
        : "more of them would tell which is better";
    if (best.epoch === 0)
      this.#warnings.push(
        `no epoch did better than the model before tuning (${before.accuracy.toFixed(2)} % of ${this.#validation.count} samples), which is kept; ${wayOut}`,
      );
    return {
      graph: best.epoch === 0 ? this.#graph : this.#trainer.graph(this.#best),
      summary: {
        before,
        after: best.validation,
        best: best.epoch,
        epochs,
        trained: this.#parameters.map(({ name }) => name),
        parameters: this.#size,
        bytes: this.#trainer.bytes,
        notes: this.#notes,
        warnings: this.#warnings,
      },
    };
  }

  /** One step over some samples. */
  #step(rows: Int32Array, step: number, steps: number) {
    const { seed, lr: peak, schedule, clip } = this.#options;
    const accumulate = this.#accumulate;
    const lr = learningRate(schedule, peak, step - 1, steps);
    const feeds = this.#feedsOf(rows, randomFor(seed, FLIPS, step));
    const passes = step % accumulate || accumulate;
    const isUpdate = passes === accumulate || step === steps;
    const isMeasured = isUpdate && Math.ceil(step / accumulate) % MEASURED === 1;
    const before = isMeasured ? this.#trainer.numbers() : undefined;
    const judgement: Judgement = this.#trainer.run(feeds, lr, step);
    if (isUpdate && (clip !== undefined || accumulate > 1))
      this.#trainer.update(lr, Math.ceil(step / accumulate), passes, clip);
    return { ...judgement, lr, codesPerStep: before && this.#moved(before) };
  }

  #feedsOf(rows: Int32Array, random: Random): Feeds {
    const inputs = checkFeeds(this.#graph.inputs, this.#data.at(rows));
    const feeds: Record<string, Tensor> = {};
    for (const [name, fed] of inputs)
      feeds[name] = this.#options.flip && fed.shape.length === 4 ? flipped(fed, random) : fed;
    const teacher = this.#teacher?.runSync(feeds);
    if (teacher) feeds[TEACHER] = teacher[this.#teacher!.outputs[0]!.name]!;
    const labels = this.#labelsOf(rows);
    return { ...feeds, [LABELS]: { dtype: "i32", shape: [rows.length], data: labels } };
  }

  #labelsOf(rows: Int32Array): Int32Array {
    return rows.map((row) => this.#data.labels![row]!);
  }

  /** Mean distance that weights moved, in steps of their codes. */
  #moved(before: ReadonlyMap<string, Float32Array>): number | undefined {
    let [sum, count] = [0, 0];
    for (const { name, kind, coded } of this.#parameters) {
      if (kind !== "weight" || !coded) continue;
      const old = before.get(name)!;
      const now = this.#trainer.state(name);
      const largest = old.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
      if (largest === 0) continue;
      for (let i = 0; i < old.length; i++) sum += (Math.abs(now[i]! - old[i]!) * coded.limit) / largest;
      count += old.length;
    }
    return count === 0 ? undefined : sum / count;
  }

  /** Whether the loss is a number and not far above where it began. Tells what to do where it is not. */
  #isSound(loss: number, step: number): boolean {
    const progress = this.#progress;
    if (step === 1) progress.lossAtFirst = progress.lossOfLate = loss;
    progress.lossOfLate += (loss - progress.lossOfLate) / RECENT;
    const bound = DIVERGED * Math.max(progress.lossAtFirst, GUESSING);
    if (Number.isFinite(loss) && progress.lossOfLate < bound) return true;
    this.#warnings.push(
      `stopped at step ${step}: the loss is ${loss.toPrecision(3)}, it began at ${progress.lossAtFirst.toPrecision(3)}; ${this.#worst()}. Take a smaller lr than ${this.#options.lr}`,
    );
    return false;
  }

  /** The parameter that went astray, and how far. */
  #worst(): string {
    const grown = this.#parameters.map(({ name, start }) => ({
      name,
      growth: largest(this.#trainer.state(name)) / largest(start.data),
    }));
    const wrong = grown.find(({ growth }) => !Number.isFinite(growth));
    if (wrong) return `"${wrong.name}" is not finite`;
    const { name, growth } = grown.reduce((most, one) => (one.growth > most.growth ? one : most));
    return `"${name}" is ${growth.toPrecision(3)} times as large as it began`;
  }

  async #validate(graph: Graph): Promise<Validation> {
    const model = this.#model(graph);
    try {
      return await validate(model, this.#validation, this.#engine, this.#breathe);
    } finally {
      model.dispose();
    }
  }

  #model(graph: Graph): Model {
    const symbols = graph.inputs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === "string"));
    const maxima = Object.fromEntries(symbols.map((symbol) => [symbol, 64]));
    return new Model(graph, registry, this.#engine, { maxima });
  }
}

/** Largest magnitude, a tiny one at least; NaN where there is one. */
const largest = (numbers: ArrayLike<number>) =>
  Array.prototype.reduce.call(
    numbers,
    (most, x) => Math.max(most as number, Math.abs(x as number)),
    2 ** -126,
  ) as number;

/** Samples of a step where only scales move: their gradients are small enough to be summed over several. */
const SMALL_STEP = 16;

/** What is asked for, in steps of the size that it needs; a model whose batch is fixed takes no other. */
function choiceOf(options: TuneOptions, { inputs }: Graph, samples: number): Choice {
  const { train = "all", accumulate = 1 } = options;
  const batch = Math.min(options.batch ?? defaults.batch, samples);
  const fixed = inputs[0]!.shape[0];
  if (typeof fixed === "number")
    return { train, batch: fixed, accumulate: accumulate * Math.max(1, Math.floor(batch / fixed)) };
  const parts = train === "scales" || train === "bias" ? Math.max(1, Math.floor(batch / SMALL_STEP)) : 1;
  return { train, batch: Math.ceil(batch / parts), accumulate: accumulate * parts };
}

/** Cross-entropy, and half of it distillation where there is a teacher. */
const lossesFor = ({ teacher }: TuneOptions): readonly Loss[] =>
  teacher
    ? [
        { kind: "crossEntropy", weight: 0.5 },
        { kind: "divergence", weight: 0.5, temperature: 2 },
      ]
    : [{ kind: "crossEntropy" }];

/** Samples to train on and samples to validate on. */
function divided(data: Dataset, validation: Dataset | number, seed: number) {
  for (const set of [data, ...(typeof validation === "number" ? [] : [validation])])
    if (!set.labels || set.count === 0)
      throw new OctetteError("samples need labels", {
        code: "argument",
        where: "tune",
        got: `${set.count} samples${set.labels ? "" : " without labels"}`,
        hint: "A .npz needs an array named labels; other files take --labels",
      });
  if (typeof validation !== "number") return { data, validation };
  const count = Math.floor(data.count * validation);
  if (!(validation > 0 && validation < 1) || count < 1)
    throw new OctetteError("there is nothing to validate on", {
      code: "argument",
      where: "validation",
      expected: `samples, or a part of the ${data.count} there are, between 0 and 1`,
      got: `${validation}`,
    });
  const aside = sampleIndices(data.count, count, seed);
  const isAside = new Set(aside);
  const rest = Array.from({ length: data.count }, (_, i) => i).filter((i) => !isAside.has(i));
  return { data: data.pick(rest), validation: data.pick(aside) };
}

/** What random numbers are for: each epoch and step has numbers of its own, so that none depend on where training began. */
const [ORDER, FLIPS] = [1, 2];

const randomFor = (seed: number, purpose: number, index: number) =>
  new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(purpose, 0x85ebca6b) ^ Math.imul(index, 0xc2b2ae35));

/** 0 … n − 1 in an order that `random` chose (Fisher & Yates). */
function shuffled(n: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
