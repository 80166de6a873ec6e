// The worker that learns, so that the page stays free: a learner's jobs, on what `octette tune` does with the same samples, to the same bytes.
// `octette bundle` puts its script together: it imports octette.js, and adds the ops, gradients and kernels that the model's training needs.

import type { WasmSources } from "../../engine/wasm";
import { Jobs, type Tuning, tuneOptionsOf } from "../../learner/jobs";
import type { Reply, WorkerOrder } from "../../learner/messages";
import { takingOrders } from "../../learner/orders";
import { coverNumbers } from "../../passes/cover-numbers";
import { toolkit } from "../../toolkit/toolkit";
import { tuneWith } from "../../train/run/tune";
import type { TuneDeployedOptions } from "../../train/run/tune-options";

/** The model as it is: nothing of a page quantizes, or keeps checkpoints. */
const tuneAsItIs: Tuning = async (graph, order, context) => {
  const options = tuneOptionsOf(order, context) as TuneDeployedOptions;
  return {
    tuned: await tuneWith(coverNumbers(graph, options.data.preprocessing), options, toolkit),
    warnings: [],
  };
};

/** Listens to the page, with these kernels. */
export function startLearning(wasm: WasmSources): void {
  toolkit.carry(wasm);
  const post = (reply: Reply, transfer: Transferable[] = []) => self.postMessage(reply, { transfer });
  const take = takingOrders(new Jobs(tuneAsItIs), post);
  self.onmessage = ({ data }: MessageEvent<WorkerOrder>) =>
    "wasm" in data ? post({ id: 0, result: undefined }) : take(data);
}
