// The workers of one model and the host's side of their work queue. They start while the model runs on one thread, and
// take parts once all of them are up.

/// <reference path="../script.d.ts" />

import type { Dim } from "../graph/symbols";
import { nodeModule } from "../node-module";
import type { Plan, Ready } from "./plan";
import text from "./threads-worker?script";
import type { Imports } from "./wasm";
import {
  type ArgsOf,
  argsOf,
  CLAIM,
  DONE,
  lastOf,
  newWorkQueue,
  type Orders,
  opened,
  partsFor,
  SLEEPERS,
  TRAPPED,
  takeFirst,
  UP,
  type WorkQueue,
  writeRow,
} from "./work-queue";

/** What moving a byte costs in multiply-adds, for steps that only move, add or look up. */
const MACS_A_BYTE = 16;
/** Milliseconds after which a worker that took a part is given up. */
const PATIENCE = 10_000;
/** Looks at the work queue between two looks at the clock. */
const LOOKS = 1 << 16;

/** Why nothing could be started, and the way out. */
const NO_SCRIPT =
  "its script cannot be loaded: give load the URL that octette/worker.js is served from, { worker: url }";

interface Worker {
  terminate(): unknown;
}

/** What the pool shares with its model. */
export interface Ground {
  /** Any of its plans: they have the same steps, but for addresses. */
  readonly plan: Plan;
  readonly modules: readonly WebAssembly.Module[];
  readonly imports: Imports;
  /** The worker's script, where a caller has one of their own. */
  readonly script: URL | string | undefined;
  /** Called when a worker has ended by itself, with the reason. */
  readonly onEnd: (reason: string) => void;
}

export class ThreadPool {
  readonly #queue: WorkQueue;
  #workers: readonly Worker[] = [];
  #isDisposed = false;

  private constructor(plan: Plan) {
    const steps = plan.steps.map(({ kernel, args, scratch }) => ({ kernel, arity: args.length, scratch }));
    this.#queue = newWorkQueue(steps, plan.threads);
  }

  /** Tells the workers to start; they are up some time later. */
  static start({ plan, modules, imports, script, onEnd }: Ground): ThreadPool {
    const pool = new ThreadPool(plan);
    const orders = Array.from(
      { length: plan.threads - 1 },
      (_, index): Orders => ({ modules, imports, ...pool.#queue, index }),
    );
    const end = (reason: string) => {
      if (!pool.#isDisposed) onEnd(`a worker ended: ${reason}`);
    };
    pool.#workers = orders.map((order) => hire(order, script, end));
    return pool;
  }

  /** All workers take parts. */
  get isUp(): boolean {
    return Atomics.load(this.#queue.words, UP) === this.#workers.length;
  }

  /** Tells the workers where their scratch lies, before steps of a plan are spread. */
  enter({ scratchAt, scratchBytes }: Plan["memory"]): void {
    this.#queue.program.set([scratchAt, scratchBytes]);
  }

  /** A step, the `index`th of its plan, that all threads do where it is of enough work; `evaluate` knows the symbols' values. */
  spread(whole: Ready, index: number, evaluate: (dim: Dim) => number): Ready {
    const { step, args } = whole;
    if (step.count === undefined) return whole;
    const count = args.at(-1)!;
    const work = evaluate(step.macs) + MACS_A_BYTE * step.bytes * count;
    const { rows, program, threads } = this.#queue;
    const parts = partsFor(count, work, threads);
    if (parts < 2) return whole;
    writeRow(program, rows[index]!, parts, count, args);
    const own = argsOf(program, rows[index]!, 0);
    return { step, args: [], call: () => this.#share(index, parts, own, whole) };
  }

  /** Ends the workers. */
  dispose(): void {
    this.#isDisposed = true;
    for (const worker of this.#workers) worker.terminate();
  }

  /** Runs a step together with whoever is free. */
  #share(index: number, parts: number, own: ArgsOf, { call, args }: Ready): void {
    const { words } = this.#queue;
    Atomics.store(words, DONE, 0);
    Atomics.store(words, CLAIM, opened(index, parts));
    if (Atomics.load(words, SLEEPERS) > 0) Atomics.notify(words, CLAIM);
    try {
      for (let first = 0, last = 0; (last += takeFirst(this.#queue)) > first; first = last)
        call(...own(first, last));
    } finally {
      this.#waitFor(parts - lastOf(Atomics.exchange(words, CLAIM, 0)));
    }
    // What traps in a worker traps here too, with the same error.
    if (Atomics.exchange(words, TRAPPED, 0) !== 0) call(...args);
  }

  /** Spins, as a page's main thread must, until workers have done the parts they took. */
  #waitFor(parts: number): void {
    const { words } = this.#queue;
    let patience = Infinity;
    for (let looks = 1; Atomics.load(words, DONE) < parts; looks++) {
      if (looks % LOOKS !== 0) continue;
      const now = performance.now();
      patience = Math.min(patience, now + PATIENCE);
      if (now < patience) continue;
      throw new Error("a worker does not answer; load the model again");
    }
  }
}

/** Starts a worker that keeps no process alive; without a script of the caller's, it runs the text inside this one. */
function hire(orders: Orders, script: URL | string | undefined, end: (reason: string) => void): Worker {
  const threads = nodeModule("node:worker_threads");
  if (!threads) return hireInPage(orders, script, end);
  const options = { eval: !script, workerData: orders, execArgv: [] };
  const worker = new threads.Worker(script ?? text, options);
  worker.on("error", ({ message }) => end(message)).on("exit", () => end("it exited"));
  worker.unref();
  return worker;
}

/**
 * As `hire`, in a page or a worker of one. A bundler may put the worker's script beside this one, and a strict policy
 * takes no other; where nothing lies there, the text is started from a Blob.
 */
function hireInPage(orders: Orders, script: URL | string | undefined, end: (reason: string) => void): Worker {
  let worker: globalThis.Worker;
  let blob = "";
  const start = (hired: globalThis.Worker) => {
    worker = hired;
    worker.onerror = ({ message }) => {
      if (message || script) end(message || "its script cannot be loaded");
      else startBlob();
    };
    worker.postMessage(orders);
  };
  const startBlob = () => {
    if (blob) return end(NO_SCRIPT);
    blob = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    try {
      start(new Worker(blob));
    } catch {
      end(NO_SCRIPT);
    }
  };
  try {
    start(
      script
        ? new Worker(script, { type: "module" })
        : new Worker(new URL("./threads-worker.js", import.meta.url), { type: "module" }),
    );
  } catch (cause) {
    if (script) throw cause;
    startBlob();
  }
  return {
    terminate() {
      worker.onerror = null;
      worker.terminate();
      URL.revokeObjectURL(blob);
    },
  };
}
