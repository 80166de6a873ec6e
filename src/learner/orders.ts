// A worker's side of the messages: does the jobs that it is ordered, and posts what comes of them.

import type { JobContext, Jobs } from "./jobs";
import { buffersIn, errorFromWire, errorToWire, type JobOrder, type Reply } from "./messages";

interface Running {
  readonly controller: AbortController;
  /** Answers that the job waits for. */
  readonly answers: Map<number, (error?: Error) => void>;
}

/** Takes orders for these jobs. */
export function takingOrders(
  jobs: Jobs,
  post: (reply: Reply, buffers?: ArrayBuffer[]) => void,
): (order: JobOrder) => void {
  const running = new Map<number, Running>();
  let asked = 0;

  async function work(id: number, { job, args }: Extract<JobOrder, { job: unknown }>): Promise<void> {
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

  return (order) => {
    const { id } = order;
    if ("job" in order) return void work(id, order);
    if ("abort" in order) return running.get(id)?.controller.abort();
    running.get(id)?.answers.get(order.answers)?.(order.error && errorFromWire(order.error));
  };
}
