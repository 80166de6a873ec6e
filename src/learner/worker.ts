// A learner's worker: does its jobs in a thread of their own.

import { extmulClass, relaxedClass } from "../engine/classes";
import type { WasmSources } from "../engine/wasm";
import { nodeModule } from "../node-module";
import { toolkit } from "../toolkit";
import { type JobContext, Jobs } from "./jobs";
import { buffersIn, errorFromWire, errorToWire, type Reply, type WorkerOrder } from "./messages";
import { receiveTrain } from "./received";

interface Running {
  readonly controller: AbortController;
  /** Answers that the job waits for. */
  readonly answers: Map<number, (error?: Error) => void>;
}

const { parentPort } = nodeModule("node:worker_threads") ?? {};
const page = globalThis as unknown as Worker;
const post = (reply: Reply, buffers: ArrayBuffer[] = []) =>
  parentPort ? parentPort.postMessage(reply, buffers) : page.postMessage(reply, buffers);

const jobs = new Jobs();
const running = new Map<number, Running>();
let asked = 0;

function take(order: WorkerOrder): void {
  if ("wasm" in order) return receive(order.wasm);
  const { id } = order;
  if ("job" in order) return void work(id, order);
  if ("abort" in order) return running.get(id)?.controller.abort();
  running.get(id)?.answers.get(order.answers)?.(order.error && errorFromWire(order.error));
}

/** Takes the kernels, and says that it is up. */
function receive({ train, extmul, relaxed, ...wasm }: Readonly<Record<string, Uint8Array>>): void {
  receiveTrain(train);
  const classes = {
    ...(extmul && { extmul: extmulClass(extmul) }),
    ...(relaxed && { relaxed: relaxedClass(relaxed) }),
  };
  toolkit.carry({ ...wasm, ...classes } as WasmSources);
  post({ id: 0, result: undefined });
}

async function work(id: number, { job, args }: Extract<WorkerOrder, { job: unknown }>): Promise<void> {
  const controller = new AbortController();
  const answers: Running["answers"] = new Map();
  running.set(id, { controller, answers });
  const context: JobContext = {
    signal: controller.signal,
    tell: (event, value) => post({ id, event, value }),
    ask: (event, value) =>
      new Promise((resolve, reject) => {
        const asks = ++asked;
        answers.set(asks, (error) => {
          answers.delete(asks);
          if (error) reject(error);
          else resolve();
        });
        post({ id, event, value, asks });
      }),
  };
  try {
    const result = await jobs[job](args as never, context);
    // Facts of a model hold what it still uses.
    post({ id, result }, job === "load" ? [] : buffersIn(result));
  } catch (error) {
    post({ id, error: errorToWire(error) });
  } finally {
    running.delete(id);
  }
}

if (parentPort) parentPort.on("message", take);
else page.onmessage = ({ data }: MessageEvent<WorkerOrder>) => take(data);
