// How a learner tunes: with checkpoints, which lie in a file of the worker's own or go back to the caller.

import { OctetteError } from "../errors";
import { quantizeWith } from "../quantize/quantize-graph";
import { toolkit } from "../toolkit/toolkit";
import type { CheckpointState } from "../train/checkpoint/checkpoint";
import { loadCheckpoint, saveCheckpoint } from "../train/checkpoint/file";
import { tuneGraph } from "../train/tune-graph";
import { type Tuning, tuneOptionsOf } from "./jobs";

/** Tunes from a checkpoint where there is a whole one of this run, else from the beginning. */
export const tuneResuming: Tuning = async (graph, order, context) => {
  const { checkpoint } = order;
  const warnings: string[] = [];
  const path = checkpoint && "path" in checkpoint ? checkpoint.path : undefined;
  const warn = (what: string) => {
    if (!warnings.includes(what)) warnings.push(what);
  };
  const save = async (state: CheckpointState) => {
    if (path === undefined) return context.ask("onCheckpoint", ownState(state));
    // A full disk costs the checkpoint, not the run.
    await saveCheckpoint(path, state).catch(({ message }: Error) => warn(`no checkpoint: ${message}`));
  };
  const run = (state: CheckpointState | undefined) =>
    tuneGraph(
      graph,
      {
        ...tuneOptionsOf(order, context),
        ...(checkpoint && { checkpoint: { state, every: checkpoint.every, save } }),
      },
      toolkit,
      quantizeWith,
    );
  if (!checkpoint) return { tuned: await run(undefined), warnings };
  if (!("path" in checkpoint)) return { tuned: await run(checkpoint.state), warnings };
  const loaded = checkpoint.resume
    ? await loadCheckpoint(checkpoint.path).catch(({ message }: Error) => warn(message))
    : undefined;
  if (!loaded) return { tuned: await run(undefined), warnings };
  if (loaded.note) warn(loaded.note);
  try {
    return { tuned: await run(loaded.state), warnings };
  } catch (error) {
    if (!(error instanceof OctetteError && /^checkpoint\b/.test(error.where ?? ""))) throw error;
    warn(error.message);
    return { tuned: await run(undefined), warnings };
  }
};

/** A copy of a state, which training goes on to change. */
const ownState = (state: CheckpointState): CheckpointState => ({
  ...state,
  progress: structuredClone(state.progress),
  tensors: new Map(
    [...state.tensors].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }] as const),
  ),
});
