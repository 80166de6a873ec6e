// Runs a learner's jobs in the caller's thread, for hosts without workers.

import type { Events, Jobs } from "./jobs";
import type { JobName } from "./messages";
import { type Args, type CallOptions, endedBy, type Hand, type Result } from "./workers";

/** The same jobs in this thread. */
export class LocalHand implements Hand {
  readonly #jobs: Jobs;
  /** Ends the jobs that are under way. */
  readonly #running = new Set<AbortController>();
  #isDisposed = false;

  private constructor(jobs: Jobs) {
    this.#jobs = jobs;
  }

  static async start(): Promise<LocalHand> {
    const [{ Jobs }, { tuneResuming }] = await Promise.all([import("./jobs"), import("./tuning")]);
    return new LocalHand(new Jobs(tuneResuming));
  }

  get isUp(): boolean {
    return !this.#isDisposed;
  }

  async call<J extends JobName>(
    job: J,
    args: Args<J>,
    { signal, onEvent }: CallOptions = {},
  ): Promise<Result<J>> {
    signal?.throwIfAborted();
    if (this.#isDisposed) throw endedBy("it was disposed");
    const own = new AbortController();
    this.#running.add(own);
    const abort = () => own.abort(signal?.reason);
    signal?.addEventListener("abort", abort);
    const ask = async <E extends keyof Events>(event: E, value: Events[E]) =>
      void (await onEvent?.(event, value));
    const context = {
      signal: own.signal,
      // What a listener throws, at once or later, stops the job, as it does with a worker.
      tell: <E extends keyof Events>(event: E, value: Events[E]) =>
        void ask(event, value).catch((error) => own.abort(error)),
      ask,
    };
    try {
      const result = await (this.#jobs[job](args as never, context as never) as Promise<Result<J>>);
      own.signal.throwIfAborted();
      return result;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#running.delete(own);
    }
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const own of this.#running) own.abort(endedBy("it was disposed"));
    this.#jobs.dispose();
  }
}
