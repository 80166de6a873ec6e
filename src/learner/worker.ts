// A learner's worker: does its jobs in a thread of their own. The build puts its script together (scripts/kit.js).

import { extmulClass, relaxedClass } from "../engine/classes";
import type { WasmSources } from "../engine/wasm";
import { nodeModule } from "../node-module";
import { toolkit } from "../toolkit/toolkit";
import { Jobs } from "./jobs";
import type { Reply, WorkerOrder } from "./messages";
import { takingOrders } from "./orders";
import { receiveTrain } from "./received";
import { tuneResuming } from "./tuning";

/** Listens to the script that started it, and says that it is up once it has its kernels. */
export function startWorker(): void {
  const { parentPort } = nodeModule("node:worker_threads") ?? {};
  const page = globalThis as unknown as Worker;
  const post = (reply: Reply, buffers: ArrayBuffer[] = []) =>
    parentPort ? parentPort.postMessage(reply, buffers) : page.postMessage(reply, buffers);
  const takeOrder = takingOrders(new Jobs(tuneResuming), post);
  const take = (order: WorkerOrder) => {
    if ("wasm" in order) {
      receive(order.wasm);
      return post({ id: 0, result: undefined });
    }
    if ("job" in order && order.job === "tune") giveWay();
    takeOrder(order);
  };
  if (parentPort) parentPort.on("message", take);
  else page.onmessage = ({ data }: MessageEvent<WorkerOrder>) => take(data);
}

/** Niceness of the thread that tunes, the most there is: it takes the time that others leave. */
const NICENESS = 19;

/** Lets threads that serve go first. Linux has a priority for each thread; elsewhere there is one for all of a process. */
function giveWay(): void {
  const os = nodeModule("node:os");
  // Deno would ask its user.
  if (os?.platform() !== "linux" || "Deno" in globalThis) return;
  try {
    os.setPriority(NICENESS);
  } catch {
    // A sandbox may forbid it.
  }
}

/** Takes the kernels. */
function receive({ train, extmul, relaxed, ...wasm }: Readonly<Record<string, Uint8Array>>): void {
  receiveTrain(train);
  const classes = {
    ...(extmul && { extmul: extmulClass(extmul) }),
    ...(relaxed && { relaxed: relaxedClass(relaxed) }),
  };
  toolkit.carry({ ...wasm, ...classes } as WasmSources);
}
