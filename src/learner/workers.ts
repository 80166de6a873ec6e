// A worker with a learner's jobs, in Node and in pages, and the same jobs in the thread of the caller, where there is no worker.

import { OctetteError } from "../errors";
import { nodeModule } from "../node-module";
import type { Events, Jobs } from "./jobs";
import {
  buffersIn,
  errorFromWire,
  errorToWire,
  type JobName,
  type Reply,
  type WorkerOrder,
} from "./messages";

type Args<J extends JobName> = Parameters<Jobs[J]>[0];
type Result<J extends JobName> = Awaited<ReturnType<Jobs[J]>>;

export interface CallOptions {
  /** Stops the job, which then rejects. */
  readonly signal?: AbortSignal | undefined;
  /** Told what the job tells; a promise that it returns is awaited where the job waits. */
  readonly onEvent?: (<E extends keyof Events>(event: E, value: Events[E]) => unknown) | undefined;
}

/** Who does jobs. */
export interface Hand {
  call<J extends JobName>(job: J, args: Args<J>, options?: CallOptions): Promise<Result<J>>;
  /** Whether it can still be called. */
  readonly isUp: boolean;
  /** Ends it: calls that wait reject. */
  dispose(): void;
}

/** A worker of either kind. */
interface Port {
  post(order: WorkerOrder): void;
  /** Lets a process end while nothing is asked of it. */
  hold(isHeld: boolean): void;
  terminate(): void;
}

interface Listeners {
  onReply(reply: Reply): void;
  onEnd(reason: string): void;
}

const NO_SCRIPT =
  "its script cannot be loaded; give createLearner the URL that octette/learner-worker.js is served from, { worker: url }";

interface Pending extends CallOptions {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Where it lies for Node. No literal, which bundlers for pages would copy once more. */
const SCRIPT = ["./learner-worker.js"].join();

/** Milliseconds that a worker may take to start. */
const PATIENCE = 30_000;

/** A worker, once it has answered. */
export class WorkerHand implements Hand {
  readonly #port: Port;
  readonly #pending = new Map<number, Pending>();
  #count = 0;
  #ended: string | undefined;
  #isStarted: (problem?: string) => void = () => {};

  private constructor(script: URL | string | undefined, wasm: Readonly<Record<string, Uint8Array>>) {
    const listeners: Listeners = {
      onReply: (reply) => this.#take(reply),
      onEnd: (reason) => this.#end(reason),
    };
    this.#port = nodeModule("node:worker_threads")
      ? startInNode(script, listeners)
      : startInPage(script, listeners);
    this.#port.post({ wasm });
  }

  /** Starts a worker. Throws where none can be started. */
  static async start(
    script: URL | string | undefined,
    wasm: Readonly<Record<string, Uint8Array>>,
  ): Promise<WorkerHand> {
    const hand = new WorkerHand(script, wasm);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const problem = await new Promise<string | undefined>((resolve) => {
      timer = setTimeout(() => resolve("it does not answer"), PATIENCE);
      hand.#isStarted = resolve;
      hand.#port.hold(true);
      if (hand.#ended !== undefined) resolve(hand.#ended);
    });
    clearTimeout(timer);
    hand.#port.hold(false);
    if (problem === undefined) return hand;
    hand.dispose();
    throw new Error(problem);
  }

  get isUp(): boolean {
    return this.#ended === undefined;
  }

  call<J extends JobName>(job: J, args: Args<J>, options: CallOptions = {}): Promise<Result<J>> {
    return new Promise<Result<J>>((resolve, reject) => {
      const { signal } = options;
      if (signal?.aborted) return reject(signal.reason);
      if (this.#ended !== undefined) return reject(endedBy(this.#ended));
      const id = ++this.#count;
      const abort = () => this.#port.post({ id, abort: true });
      const done = () => {
        signal?.removeEventListener("abort", abort);
        this.#pending.delete(id);
        if (this.#pending.size === 0) this.#port.hold(false);
      };
      signal?.addEventListener("abort", abort);
      this.#pending.set(id, {
        ...options,
        resolve(result) {
          done();
          resolve(result as Result<J>);
        },
        reject(error) {
          done();
          reject(signal?.aborted ? signal.reason : error);
        },
      });
      this.#port.hold(true);
      this.#port.post({ id, job, args });
    });
  }

  dispose(): void {
    this.#port.terminate();
    this.#end("it was disposed");
  }

  #take(reply: Reply): void {
    const { id } = reply;
    if (id === 0) return this.#isStarted();
    const pending = this.#pending.get(id);
    if (!pending) return;
    if ("result" in reply) pending.resolve(reply.result);
    else if ("error" in reply) pending.reject(errorFromWire(reply.error));
    else {
      const told = async () => pending.onEvent?.(reply.event, reply.value as never);
      if ("asks" in reply)
        told().then(
          () => this.#port.post({ id, answers: reply.asks }),
          (error) => this.#port.post({ id, answers: reply.asks, error: errorToWire(error) }),
        );
      // What a listener throws stops the job, as it does without a worker.
      else
        told().catch((error) => {
          this.#port.post({ id, abort: true });
          pending.reject(error);
        });
    }
  }

  #end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#isStarted(reason);
    for (const { reject } of [...this.#pending.values()]) reject(endedBy(reason));
  }
}

const endedBy = (reason: string) =>
  new OctetteError(`the worker ended: ${reason}`, {
    code: reason === "it was disposed" ? "disposed" : "engine",
    where: "learner",
  });

/** The same jobs in this thread. */
export class LocalHand implements Hand {
  readonly #jobs: Jobs;
  #isDisposed = false;

  private constructor(jobs: Jobs) {
    this.#jobs = jobs;
  }

  static async start(): Promise<LocalHand> {
    const { Jobs } = await import("./jobs");
    return new LocalHand(new Jobs());
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
    const context = {
      signal: signal ?? own.signal,
      tell: <E extends keyof Events>(event: E, value: Events[E]) => void onEvent?.(event, value),
      ask: async <E extends keyof Events>(event: E, value: Events[E]) => void (await onEvent?.(event, value)),
    };
    return this.#jobs[job](args as never, context as never) as Promise<Result<J>>;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#jobs.dispose();
  }
}

function startInNode(script: URL | string | undefined, { onReply, onEnd }: Listeners): Port {
  const threads = nodeModule("node:worker_threads")!;
  const worker = new threads.Worker(script ?? new URL(SCRIPT, import.meta.url), {
    execArgv: [],
  });
  worker
    .on("message", onReply)
    .on("error", ({ code, message }: Error & { code?: string }) =>
      onEnd(code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND" ? NO_SCRIPT : message),
    )
    .on("exit", () => onEnd("it exited"));
  return {
    post: (order) => worker.postMessage(order, transferable(order)),
    hold: (isHeld) => (isHeld ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
}

function startInPage(script: URL | string | undefined, { onReply, onEnd }: Listeners): Port {
  const worker = script
    ? new Worker(script, { type: "module" })
    : new Worker(new URL("./learner-worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<Reply>) => onReply(data);
  worker.onerror = ({ message }) => onEnd(message || NO_SCRIPT);
  return {
    post: (order) => worker.postMessage(order, transferable(order)),
    hold: () => {},
    terminate: () => worker.terminate(),
  };
}

/** Feeds, samples and the artifact to tune were copied for the worker alone; they move there. */
function transferable(order: WorkerOrder): ArrayBuffer[] {
  if (!("job" in order)) return [];
  if (order.job === "run") return buffersIn((order.args as Args<"run">).feeds);
  if (order.job !== "tune") return [];
  const { artifact, data, validation, guard } = order.args as Args<"tune">;
  return buffersIn([artifact, data, validation, guard]);
}
