// Fine-tuning: from a deployed model and labelled samples to one whose accuracy is back. Kept is the state that does best on
// validation samples, that before the first step included.

import { byteSize } from "../../bytes";
import type { Dataset } from "../../data/index";
import { shuffled } from "../../data/sampling";
import { checkLimit, DEFAULT_MAX_BYTES, isLimit } from "../../engine/limit";
import type { Model } from "../../engine/model";
import type { Plan } from "../../engine/plan";
import { type GiveWay, givingWay } from "../../event-loop";
import { contentHash } from "../../formats/octette";
import type { Graph } from "../../graph/graph";
import type { Toolkit } from "../../toolkit";
import type { CheckpointState } from "../checkpoint/checkpoint";
import { beginning, resume, savedProgress, type TrainingProgress } from "../checkpoint/progress";
import { activationsOf, checkScales } from "../step/activations";
import { createOptimizer } from "../step/optimizers";
import { type Parameter, parametersOf } from "../step/prepare";
import { batchSymbol } from "../step/step";
import { type Training, trainingOf } from "../training";
import { type Choice, fitMemory } from "./budget";
import { accuracyFell, hasForgotten, isSound, lossGrew, meanMove, noneBetter, worstOf } from "./divergence";
import { identityOf } from "./identity";
import { divided, FLIPS, ORDER, randomFor } from "./samples";
import { checkSchedule, learningRate } from "./schedules";
import { select } from "./select";
import { asTensors, stateOf } from "./state";
import { labelsOf, stepFeeds } from "./step-feeds";
import { type Judgement, Trainer } from "./trainer";
import { choiceOf, defaults, lossesFor, type TuneDeployedOptions, type Tuned } from "./tune-options";
import { checkClasses, evaluated, isBetter, rightOf, type Validation, validateGraph } from "./validate";

/** Updates between two measurements of how far weights move. */
const MEASURED = 25;
/** Steps between two checkpoints. */
const KEPT = 50;

/**
 * Fine-tunes a model that `quantize` made, or one in float. The same graph, options and samples give the same bytes on every
 * engine. What is trained is what is deployed: the forward pass of a step computes the very codes of the artifact.
 * @throws OctetteError "argument" where options or data do not fit, "unsupported" where a node has no gradient.
 */
export async function tuneWith(graph: Graph, options: TuneDeployedOptions, toolkit: Toolkit): Promise<Tuned> {
  const { engine } = toolkit;
  await engine.prepare(engine.settle().engineClass);
  const tuning = new Tuning(graph, options, toolkit);
  try {
    return await tuning.run();
  } finally {
    tuning.dispose();
  }
}

class Tuning {
  readonly #graph: Graph;
  readonly #options: TuneDeployedOptions & typeof defaults;
  readonly #engine: Toolkit["engine"];
  readonly #training: Training;
  readonly #data: Dataset;
  readonly #validation: Dataset;
  readonly #parameters: readonly Parameter[];
  readonly #trainer: Trainer;
  readonly #teacher: Model | undefined;
  readonly #giveWay: GiveWay;
  readonly #feedsOf: ReturnType<typeof stepFeeds>;
  /** Samples of a step, and steps of an update. */
  readonly #batch: number;
  readonly #accumulate: number;
  readonly #perEpoch: number;
  readonly #notes: string[] = [];
  readonly #warnings: string[] = [];
  readonly #identity: string;
  /** Numbers that are trained. */
  readonly #size: number;
  #progress: TrainingProgress;
  /** What the graph of the best state is made of. */
  #best: ReadonlyMap<string, Float32Array>;

  constructor(graph: Graph, options: TuneDeployedOptions, toolkit: Toolkit) {
    const { engine } = toolkit;
    const training = trainingOf(toolkit);
    this.#graph = graph;
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    this.#options = { ...defaults, ...Object.fromEntries(given) } as TuneDeployedOptions & typeof defaults;
    this.#engine = engine;
    this.#training = training;
    this.#giveWay = givingWay(options.signal);
    const { data, validation } = divided(options.data, this.#options.validation, this.#options.seed);
    this.#data = data;
    this.#validation = validation;
    const { clip, ranges, scales, activationScales } = this.#options;
    const maxBytes = byteSize(options.maxBytes ?? DEFAULT_MAX_BYTES, "maxBytes");
    checkScales(scales, activationScales);
    checkSchedule(this.#options.schedule);
    const optimizer = createOptimizer({ ...this.#options.optimizer, lr: this.#options.lr });
    const losses = options.losses ?? lossesFor(options);
    const all = parametersOf(graph, options.masters, scales, toolkit.ops);
    const wanted = choiceOf(options, graph, data.count, batchSymbol(graph, training) !== undefined);
    const perEpoch = (batch: number) => Math.ceil(data.count / batch);
    const optionsFor = ({ batch, accumulate }: Choice) => ({
      losses,
      optimizer,
      keepsGradients: clip !== undefined || accumulate > 1,
      activations: activationsOf(ranges, activationScales, perEpoch(batch) * this.#options.epochs),
      batch,
      seed: this.#options.seed,
      engine,
      training,
    });
    const open = (choice: Choice) => {
      const checkPlan = (plan: Plan) => checkLimit(plan, maxBytes, graph.name);
      const trainer = new Trainer(graph, select(all, choice.train), { ...optionsFor(choice), checkPlan });
      return { ...choice, trainer };
    };
    /** What is asked for, or the most of it that memory allows. */
    const openFitting = () => {
      try {
        return open(wanted);
      } catch (error) {
        if (!isLimit(error)) throw error;
        const fitted = fitMemory(graph, all, wanted, maxBytes, optionsFor);
        this.#notes.push(fitted.reason);
        return open(fitted);
      }
    };
    const { train, batch, accumulate, trainer } = openFitting();
    this.#batch = batch;
    this.#accumulate = accumulate;
    this.#perEpoch = perEpoch(batch);
    this.#trainer = trainer;
    this.#parameters = trainer.parameters;
    this.#size = this.#parameters.reduce((sum, { start }) => sum + start.data.length, 0);
    const classes = this.#trainer.plan.outputs[1]!.type.shape.at(-1) as number;
    for (const set of [data, validation]) checkClasses(set, classes);
    this.#teacher = options.teacher && evaluated(options.teacher, engine, options.maxBytes, training);
    this.#feedsOf = stepFeeds(graph.inputs, data, options, this.#teacher);
    this.#best = this.#trainer.numbers();
    this.#progress = beginning();
    this.#identity = identityOf(this.#options, {
      losses,
      optimizer,
      batch,
      accumulate,
      train,
      samples: [data.count, validation.count],
    });
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
    await this.#options.onBegin?.({
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

  #resume(state: CheckpointState): void {
    const best = new Map([...this.#best].map(([name, { length }]) => [name, new Float32Array(length)]));
    this.#progress = resume(state, {
      run: { model: contentHash(this.#graph), options: this.#identity },
      perEpoch: this.#perEpoch,
      epochs: this.#options.epochs,
      targets: stateOf(this.#trainer, best),
    });
    this.#trainer.restored();
    this.#best = best;
  }

  /** Saves a checkpoint, where there is a place for it. */
  async #save(): Promise<void> {
    const { checkpoint } = this.#options;
    if (!checkpoint) return;
    const progress = savedProgress(this.#progress, this.#identity);
    const tensors = asTensors(stateOf(this.#trainer, this.#best));
    await checkpoint.save({ model: contentHash(this.#graph), tensors, progress });
  }

  /** A step over these samples. False where there is no use in going on. */
  async #advance(rows: Int32Array, epoch: number): Promise<boolean> {
    await this.#giveWay();
    const progress = this.#progress;
    const [step, steps] = [progress.step + 1, this.#perEpoch * this.#options.epochs];
    const { loss, output, lr, codesPerStep } = this.#step(rows, step, steps);
    if (!isSound(progress, loss, step)) {
      const worst = worstOf(this.#parameters, (name) => this.#trainer.state(name));
      return this.#stop(lossGrew(progress, loss, step, worst));
    }
    progress.step = step;
    progress.losses += loss * rows.length;
    progress.right += rightOf(output.data, labelsOf(this.#data, rows));
    const seen = ((step - 1) % this.#perEpoch) * this.#batch + rows.length;
    const accuracy = (100 * progress.right) / seen;
    await this.#options.onStep?.({ epoch, step, steps, loss, accuracy, lr, codesPerStep });
    await this.#options.onProgress?.({ stage: "tune", done: step, total: steps });
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
    await this.#options.onEpoch?.(report);
    const { before } = progress;
    return !hasForgotten(before, validation) || this.#stop(accuracyFell(before, validation, epoch));
  }

  /** There is no use in going on, and smaller steps would help. */
  #stop(why: string): false {
    this.#warnings.push(`${why}. Take a smaller lr than ${this.#options.lr}`);
    return false;
  }

  #result(): Tuned {
    const { before, best, epochs } = this.#progress;
    if (best.epoch === 0) this.#warnings.push(noneBetter(before, this.#validation.count, this.#options.lr));
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
    return {
      ...judgement,
      lr,
      codesPerStep: before && meanMove(this.#parameters, before, (name) => this.#trainer.state(name)),
    };
  }

  #validate(graph: Graph): Promise<Validation> {
    return validateGraph(
      graph,
      this.#validation,
      this.#engine,
      this.#options.maxBytes,
      this.#giveWay,
      this.#training,
    );
  }
}
