// How the service learns: at a time of day or when it is told to, from its own copy of the samples, and on from where it was killed.

import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { readSamples } from "octette";
import { createLearner } from "octette/learner";
import { replace } from "./files.js";

/** Fewer samples than this are not worth a run, and no guard. */
const [ENOUGH, ENOUGH_GUARDS] = [20, 8];
/** Percent that the model that serves may be worse than the last good one before that serves again. */
const TOLERANCE = 2;
const DEFAULTS = { epochs: 4, batch: 16, lr: 0.0005 };

export class Learning {
  #night;
  #learner;
  #memory;
  #models;
  #options;
  #running;
  /** Runs and checks, one after the other: each replaces the model. */
  #turn = Promise.resolve();
  #stop = new AbortController();

  constructor({ folder, learner, memory, models, options }) {
    this.#night = join(folder, "night");
    this.#learner = learner;
    this.#memory = memory;
    this.#models = models;
    this.#options = options;
  }

  get isRunning() {
    return this.#running !== undefined;
  }

  /** Learns from what is there, unless it does already. Resolves to what came of it, in words. */
  run(onProgress) {
    this.#running ??= this.#inTurn(() => this.#learn(onProgress)).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Whether there is a run that a kill or a power cut ended: the next one goes on with it. */
  isBegun() {
    return readFile(join(this.#night, "begun")).then(
      () => true,
      () => false,
    );
  }

  /** Ends a run at its next step, which a checkpoint keeps. */
  async stop() {
    this.#stop.abort(new Error("stopped"));
    await this.#turn;
  }

  /** Lets the last good model serve again where it does better on the guards than the one that serves. Waits for a run that is under way. */
  check() {
    return this.#inTurn(() => this.#check());
  }

  #inTurn(work) {
    const done = this.#turn.then(() => {
      this.#stop.signal.throwIfAborted();
      return work();
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  async #check() {
    if (this.#memory.guard.count < ENOUGH_GUARDS) return "too few guards to tell";
    const data = this.#memory.guard.dataset();
    const good = await this.#models.good();
    const other = await createLearner(good, { worker: this.#learner.hasWorker });
    try {
      const [now, before] = [await accuracyOf(this.#learner, data), await accuracyOf(other, data)];
      if (now >= before - TOLERANCE) return `the model is right on ${now.toFixed(1)} % of the guards`;
      await this.#models.goBack(good);
      await this.#learner.replace(good);
      return `back to the last good model: ${before.toFixed(1)} % of the guards, where the other had ${now.toFixed(1)} %`;
    } finally {
      other.dispose();
    }
  }

  async #learn(onProgress) {
    const checked = (await this.isBegun()) ? "goes on" : await this.#check();
    const { training, guard } = await this.#begin();
    if (training.count < ENOUGH) {
      await rm(this.#night, { recursive: true, force: true });
      return `${checked}; ${training.count} samples are too few to learn from`;
    }
    const before = this.#learner.save();
    const { isBetter, artifact, summary, reason } = await this.#learner.tune({
      ...DEFAULTS,
      ...this.#options,
      data: training.dataset(),
      ...(guard.count >= ENOUGH_GUARDS && { guard: { data: guard.dataset() } }),
      checkpoint: { path: join(this.#night, "checkpoint"), every: 20, resume: true },
      signal: this.#stop.signal,
      // On the disk before it serves.
      swap: false,
      onProgress,
    });
    if (isBetter) {
      await this.#models.advance(before, artifact);
      await this.#learner.replace(artifact);
    }
    await rm(this.#night, { recursive: true, force: true });
    const { accuracy } = summary.after;
    return isBetter ? `learned: ${accuracy.toFixed(1)} % of the validation samples` : reason;
  }

  /** The samples of this run: those that a run which was ended had, or a copy of what there is. */
  async #begin() {
    const read = async (name) => new Uint8Array(await readFile(join(this.#night, name)));
    const { inputs } = this.#learner;
    const { options } = this.#memory;
    try {
      await read("begun");
      return {
        training: readSamples(await read("training"), inputs, options),
        guard: readSamples(await read("guard"), inputs, options),
      };
    } catch {
      // Not begun, or not whole.
    }
    await rm(this.#night, { recursive: true, force: true });
    await mkdir(this.#night);
    const { training, guard } = this.#memory;
    await replace(join(this.#night, "training"), training.save());
    await replace(join(this.#night, "guard"), guard.save());
    await replace(join(this.#night, "begun"), new Date().toISOString());
    const [a, b] = [await read("training"), await read("guard")];
    return { training: readSamples(a, inputs, options), guard: readSamples(b, inputs, options) };
  }
}

/** Percent of samples whose label has the largest score. One at a time, so that frames go in between. */
async function accuracyOf(learner, data) {
  const [{ name }] = learner.outputs;
  let [at, right] = [0, 0];
  for (const feeds of data.batches(1)) {
    const { data: scores } = (await learner.run(feeds))[name];
    if (scores.indexOf(Math.max(...scores)) === data.labels[at++]) right++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return (100 * right) / data.count;
}

/** Calls back every day at a time of day such as "02:30"; returns how to stop that. */
export function daily(time, callback) {
  const [hours, minutes] = time.split(":").map(Number);
  let timer;
  const wait = () => {
    const next = new Date();
    next.setHours(hours, minutes, 0, 0);
    if (next <= new Date()) next.setDate(next.getDate() + 1);
    timer = setTimeout(() => {
      callback();
      wait();
    }, next - Date.now());
  };
  wait();
  return () => clearTimeout(timer);
}
