// A model that learns while it runs: in one worker it runs, in another it is tuned. Files keep what it was taught and what it has learned;
// each is replaced as a whole.

import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { createSamples, readArtifact, readSamples, save, verify, withClasses } from "octette";
import { createLearner } from "octette/learner";
import { givesProbabilities } from "./answers.js";

/** Fewer samples than this are too few to learn from, and to guard. */
const [ENOUGH, ENOUGH_GUARDS] = [20, 8];
/** One sample in so many guards and never trains. */
const GUARDS = 5;
/** Most samples that are kept, and bytes of memory that they may take. */
const [MOST_SAMPLES, SAMPLE_BYTES] = [2000, 2 ** 25];
/** Milliseconds from a sample to the file that has it. */
const KEEP_MS = 2000;
const DEFAULTS = { epochs: 4, batch: 16, lr: 0.0005 };

/** Opens a model with names of classes, and goes on from its files in a folder, where there are some. */
export async function openTaught({ bytes, classes, folder }) {
  const { graph } = readArtifact(bytes);
  const shipped = classes ? save(withClasses(graph, classes)) : bytes;
  const path = folder && join(folder, nameOf(bytes, classes));
  if (folder) await mkdir(folder, { recursive: true });
  const learned = path && (await readFile(`${path}.octette`).catch(absent));
  const isWhole = learned && (await verify(learned).catch(() => false));
  const learner = await createLearner(isWhole ? learned : shipped);
  try {
    const taught = new Taught({ learner, shipped, path, isProbability: givesProbabilities(graph) });
    if (!learner.hasWorker) taught.warning = `learns in the thread of flows: ${learner.workerReason}`;
    if (learned && !isWhole) taught.warning = `${path}.octette is damaged and not used`;
    await taught.restoreSamples();
    return taught;
  } catch (error) {
    learner.dispose();
    throw error;
  }
}

/** The name of a model's files. Other classes make another model: what one was taught never goes to the other. */
function nameOf(bytes, classes) {
  const hash = createHash("sha256").update(bytes);
  if (classes) hash.update(JSON.stringify(classes));
  return hash.digest("hex").slice(0, 16);
}

class Taught {
  #learner;
  #shipped;
  #path;
  #options;
  #timer;
  #keeping = Promise.resolve();
  /** Ends the run that is under way or waits for its turn. */
  #run;
  /** Runs and restores, one after the other. */
  #turn = Promise.resolve();
  /** Why the samples are not on the disk. */
  #problem;
  /** What people should know about it. */
  warning;

  constructor({ learner, shipped, path, isProbability }) {
    this.#learner = learner;
    this.#shipped = shipped;
    this.#path = path;
    this.isProbability = isProbability;
    const room = Math.floor(SAMPLE_BYTES / Math.max(...learner.inputs.map(bytesOf)));
    const { classes } = learner;
    this.#options = { capacity: Math.max(1, Math.min(MOST_SAMPLES, room)), ...(classes && { classes }) };
    this.training = createSamples(learner.inputs, this.#options);
    this.guard = createSamples(learner.inputs, this.#options);
  }

  get inputs() {
    return this.#learner.inputs;
  }

  get outputs() {
    return this.#learner.outputs;
  }

  get classes() {
    return this.#learner.classes;
  }

  run(feeds) {
    return this.#learner.run(feeds);
  }

  /** Keeps a sample. Throws where it does not fit, or the samples before could not be written. */
  teach(feeds, label) {
    this.#tellProblem();
    const count = this.training.pushed + this.guard.pushed;
    const samples = crc32(`${count}`) % GUARDS === 0 ? this.guard : this.training;
    samples.push(feeds, label);
    if (this.#path) this.#timer ??= setTimeout(() => this.#keep(), KEEP_MS).unref();
  }

  /** Learns from the samples; the model that comes of it runs from then on, if it is better. */
  async learn(options, { signal, onProgress }) {
    if (this.#run) throw new Error("the model is learning already: wait for that");
    const run = new AbortController();
    this.#run = run;
    const either = AbortSignal.any([signal, run.signal]);
    try {
      return await this.#inTurn(() => this.#learn(options, { signal: either, onProgress }));
    } finally {
      if (this.#run === run) this.#run = undefined;
    }
  }

  async #learn(options, { signal, onProgress }) {
    signal.throwIfAborted();
    const { training, guard } = this;
    if (training.count < ENOUGH)
      return {
        isBetter: false,
        reason: `${training.count} of at least ${ENOUGH} samples to learn from`,
      };
    const { isBetter, artifact, summary, reason } = await this.#learner.tune({
      ...DEFAULTS,
      ...options,
      data: training.dataset(),
      ...(guard.count >= ENOUGH_GUARDS && { guard: { data: guard.dataset() } }),
      signal,
      // On the disk before it runs.
      swap: false,
      onProgress,
    });
    signal.throwIfAborted();
    if (isBetter) {
      if (this.#path) await replace(`${this.#path}.octette`, artifact);
      await this.#learner.replace(artifact);
    }
    return {
      isBetter,
      before: summary.before.accuracy,
      after: summary.after.accuracy,
      ...(reason && { reason }),
    };
  }

  /** The model of the file runs again; the samples stay. Ends learning that is under way. */
  restore() {
    this.#end("the model of the file was restored");
    return this.#inTurn(async () => {
      if (this.#path) await rm(`${this.#path}.octette`, { force: true });
      await this.#learner.replace(this.#shipped);
    });
  }

  async restoreSamples() {
    if (!this.#path) return;
    for (const name of ["training", "guard"]) {
      const bytes = await readFile(`${this.#path}.${name}`).catch(absent);
      if (bytes) this[name] = readSamples(new Uint8Array(bytes), this.inputs, this.#options);
    }
  }

  async dispose() {
    this.#end("the model was closed");
    await this.#turn;
    if (this.#timer) this.#keep();
    await this.#keeping;
    this.#learner.dispose();
    this.#tellProblem();
  }

  #end(reason) {
    this.#run?.abort(new Error(reason));
    this.#run = undefined;
  }

  #inTurn(work) {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #keep() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#keeping = this.#keeping.then(async () => {
      try {
        for (const name of ["training", "guard"]) await replace(`${this.#path}.${name}`, this[name].save());
      } catch (error) {
        this.#problem = error;
      }
    });
  }

  #tellProblem() {
    const problem = this.#problem;
    this.#problem = undefined;
    if (problem) throw new Error(`samples are not kept: ${problem.message}`, { cause: problem });
  }
}

/** Bytes of a sample, at most. */
const bytesOf = ({ shape }) =>
  4 * shape.slice(1).reduce((size, dim) => size * (typeof dim === "number" ? dim : 1), 1);

const absent = (error) => {
  if (error.code !== "ENOENT") throw error;
};

/** Writes or replaces a file: a crash or a full disk leaves the one before. */
async function replace(path, bytes) {
  await writeFile(`${path}.tmp`, bytes, { flush: true });
  await rename(`${path}.tmp`, path);
}
