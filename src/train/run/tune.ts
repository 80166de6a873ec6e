// Fine-tuning: from a deployed model and labelled samples to one whose accuracy is back. Kept is the state that does best on
// validation samples, that before the first step included.

import { shuffled } from "../../data/sampling";
import type { Feeds } from "../../engine/feeds";
import { type GiveWay, givingWay } from "../../event-loop";
import { contentHash } from "../../formats/octette";
import type { Graph } from "../../graph/graph";
import type { Toolkit } from "../../toolkit/toolkit";
import type { CheckpointState } from "../checkpoint/checkpoint";
import { beginning, resume, savedProgress, type TrainingProgress } from "../checkpoint/progress";
import { accuracyFell, hasForgotten, isSound, lossGrew, meanMove, noneBetter, worstOf } from "./divergence";
import { FLIPS, ORDER, randomFor } from "./samples";
import { learningRate } from "./schedules";
import { asTensors, stateOf } from "./state";
import { labelsOf } from "./step-feeds";
import type { Judgement } from "./trainer";
import type { TuneDeployedOptions, Tuned } from "./tune-options";
import { setUp, type TuneSetup } from "./tune-setup";
import { isBetter, rightOf, type Validation, validateGraph } from "./validate";

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
  const giveWay = givingWay(options.signal, options.pace);
  const setup = await setUp(graph, options, toolkit, giveWay);
  const tuning = new Tuning(graph, setup, engine, giveWay);
  try {
    return await tuning.run();
  } finally {
    tuning.dispose();
  }
}

class Tuning {
  readonly #graph: Graph;
  readonly #setup: TuneSetup;
  readonly #options: TuneSetup["options"];
  readonly #trainer: TuneSetup["trainer"];
  readonly #engine: Toolkit["engine"];
  readonly #giveWay: GiveWay;
  readonly #warnings: string[] = [];
  /** Numbers that are trained. */
  readonly #size: number;
  #progress: TrainingProgress = beginning();
  /** What the graph of the best state is made of. */
  #best: ReadonlyMap<string, Float32Array>;

  constructor(graph: Graph, setup: TuneSetup, engine: Toolkit["engine"], giveWay: GiveWay) {
    this.#graph = graph;
    this.#engine = engine;
    this.#giveWay = giveWay;
    this.#setup = setup;
    this.#options = this.#setup.options;
    this.#trainer = this.#setup.trainer;
    this.#size = this.#trainer.parameters.reduce((sum, { start }) => sum + start.data.length, 0);
    this.#best = this.#trainer.numbers();
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
    const { batch, perEpoch } = this.#setup;
    let order: Int32Array | undefined;
    while (progress.epochs.length < epochs) {
      const [whole, i] = [Math.floor(progress.step / perEpoch), progress.step % perEpoch];
      // Also where a run goes on that was stopped at the end of an epoch.
      if (progress.epochs.length < whole) {
        if (!(await this.#finish(whole))) return;
      } else {
        if (!order || i === 0) order = shuffled(this.#setup.data.count, randomFor(seed, ORDER, whole + 1));
        const isGood = await this.#advance(order.subarray(i * batch, (i + 1) * batch), whole + 1);
        if (!isGood) return;
        if (progress.step % (checkpoint?.every ?? KEPT) === 0) await this.#save();
      }
    }
  }

  dispose(): void {
    this.#trainer.dispose();
    this.#setup.teacher?.dispose();
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
      steps: this.#setup.perEpoch * this.#options.epochs,
      epochs: this.#options.epochs,
      batch: this.#setup.batch,
      samples: this.#setup.data.count,
      validation: this.#setup.validation,
      before: this.#progress.before,
      parameters: this.#size,
      bytes: this.#trainer.bytes,
      notes: this.#setup.notes,
    });
  }

  #resume(state: CheckpointState): void {
    const best = new Map([...this.#best].map(([name, { length }]) => [name, new Float32Array(length)]));
    this.#progress = resume(state, {
      run: { model: contentHash(this.#graph), options: this.#setup.identity },
      perEpoch: this.#setup.perEpoch,
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
    const progress = savedProgress(this.#progress, this.#setup.identity);
    const tensors = asTensors(stateOf(this.#trainer, this.#best));
    await checkpoint.save({ model: contentHash(this.#graph), tensors, progress });
  }

  /** A step over these samples. False where there is no use in going on. */
  async #advance(rows: Int32Array, epoch: number): Promise<boolean> {
    await this.#giveWay();
    const progress = this.#progress;
    const [step, steps] = [progress.step + 1, this.#setup.perEpoch * this.#options.epochs];
    const { loss, output, lr, codesPerStep } = await this.#step(rows, step, steps);
    if (!isSound(progress, loss, step)) {
      const worst = worstOf(this.#trainer.parameters, (name) => this.#trainer.state(name));
      return this.#stop(lossGrew(progress, loss, step, worst));
    }
    progress.step = step;
    progress.losses += loss * rows.length;
    progress.right += rightOf(output.data, labelsOf(this.#setup.data, rows));
    const seen = ((step - 1) % this.#setup.perEpoch) * this.#setup.batch + rows.length;
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
      loss: progress.losses / this.#setup.data.count,
      accuracy: (100 * progress.right) / this.#setup.data.count,
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
    if (best.epoch === 0)
      this.#warnings.push(noneBetter(before, this.#setup.validation.count, this.#options.lr));
    return {
      graph: best.epoch === 0 ? this.#graph : this.#trainer.graph(this.#best),
      summary: {
        before,
        after: best.validation,
        best: best.epoch,
        epochs,
        trained: this.#trainer.parameters.map(({ name }) => name),
        parameters: this.#size,
        bytes: this.#trainer.bytes,
        notes: this.#setup.notes,
        warnings: this.#warnings,
      },
    };
  }

  /** One step over some samples. */
  async #step(rows: Int32Array, step: number, steps: number) {
    const { seed, lr: peak, schedule, clip } = this.#options;
    const { accumulate } = this.#setup;
    const lr = learningRate(schedule, peak, step - 1, steps);
    const feeds = this.#setup.feedsOf(rows, randomFor(seed, FLIPS, step));
    const passes = step % accumulate || accumulate;
    const isUpdate = passes === accumulate || step === steps;
    const isMeasured = isUpdate && Math.ceil(step / accumulate) % MEASURED === 1;
    const before = isMeasured ? this.#trainer.numbers() : undefined;
    const judgement = await this.#pass(feeds, lr, step);
    if (isUpdate && (clip !== undefined || accumulate > 1))
      this.#trainer.update(lr, Math.ceil(step / accumulate), passes, clip);
    return {
      ...judgement,
      lr,
      codesPerStep: before && meanMove(this.#trainer.parameters, before, (name) => this.#trainer.state(name)),
    };
  }

  /** Forward and backward pass, with turns for others between kernels where a pace is asked for. */
  async #pass(feeds: Feeds, lr: number, step: number): Promise<Judgement> {
    if (!this.#giveWay.isPaced) return this.#trainer.run(feeds, lr, step);
    const pieces = this.#trainer.pieces(feeds, lr, step, this.#giveWay.isDue);
    for (;;) {
      await this.#giveWay();
      const { done, value } = pieces.next();
      if (done) return value;
    }
  }

  #validate(graph: Graph): Promise<Validation> {
    return validateGraph(
      graph,
      this.#setup.validation,
      this.#engine,
      this.#options.maxBytes,
      this.#giveWay,
      this.#setup.training,
    );
  }
}
