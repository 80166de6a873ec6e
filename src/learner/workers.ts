// Who does jobs for a thread: a worker, whose messages it sends and hears.

import { OctetteError } from "../errors";
import type { Events, Jobs } from "./jobs";
import { errorFromWire, errorToWire, type JobName, type Reply, type WorkerOrder } from "./messages";

export type Args<J extends JobName> = Parameters<Jobs[J]>[0];
export type Result<J extends JobName> = Awaited<ReturnType<Jobs[J]>>;

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
export interface Port {
  post(order: WorkerOrder): void;
  /** Lets a process end while nothing is asked of it. */
  hold(isHeld: boolean): void;
  terminate(): void;
}

export interface Listeners {
  onReply(reply: Reply): void;
  onEnd(reason: string): void;
}

/** Starts a worker. */
export type OpenPort = (listeners: Listeners) => Port;

interface Pending extends CallOptions {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Milliseconds that a worker may take to start. */
const PATIENCE = 30_000;

/** A worker, once it has answered. */
export class WorkerHand implements Hand {
  readonly #port: Port;
  readonly #pending = new Map<number, Pending>();
  #count = 0;
  #ended: string | undefined;
  #isStarted: (problem?: string) => void = () => {};

  private constructor(open: OpenPort, wasm: Readonly<Record<string, Uint8Array>>) {
    this.#port = open({
      onReply: (reply) => this.#take(reply),
      onEnd: (reason) => this.#end(reason),
    });
    this.#port.post({ wasm });
  }

  /** Starts a worker. Throws where none can be started. */
  static async start(open: OpenPort, wasm: Readonly<Record<string, Uint8Array>>): Promise<WorkerHand> {
    const hand = new WorkerHand(open, wasm);
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

export const endedBy = (reason: string) =>
  new OctetteError(`the worker ended: ${reason}`, {
    code: reason === "it was disposed" ? "disposed" : "engine",
    where: "learner",
  });
