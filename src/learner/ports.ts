// Workers of Node and of pages.

import { nodeModule } from "../node-module";
import { buffersIn, type Reply, type WorkerOrder } from "./messages";
import type { Args, Listeners, OpenPort, Port } from "./workers";

const NO_SCRIPT =
  "its script cannot be loaded; give createLearner the URL that octette/learner-worker.js is served from, { worker: url }";

/** Where it lies for Node. No literal, which bundlers for pages would copy once more. */
const SCRIPT = ["./learner-worker.js"].join();

/** A worker of either kind, whose script lies at a place of its own or beside this one. */
export const openPort =
  (script: URL | string | undefined): OpenPort =>
  (listeners) =>
    nodeModule("node:worker_threads")
      ? openInNode(script, listeners)
      : openInPage(scriptInPage(script), NO_SCRIPT, listeners);

function openInNode(script: URL | string | undefined, { onReply, onEnd }: Listeners): Port {
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

const scriptInPage = (script: URL | string | undefined) =>
  script
    ? new Worker(script, { type: "module" })
    : new Worker(new URL("./learner-worker.js", import.meta.url), { type: "module" });

/** A page's worker; `missing` is said where its script cannot be loaded. */
export function openInPage(worker: Worker, missing: string, { onReply, onEnd }: Listeners): Port {
  worker.onmessage = ({ data }: MessageEvent<Reply>) => onReply(data);
  worker.onerror = (event) => {
    event.preventDefault();
    onEnd(event.message || missing);
  };
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
