// Checkpoints on a disk, as the toolkit exports them: what they take is loaded with the first call.

import type { CheckpointState } from "./checkpoint";
import type { LoadedCheckpoint } from "./file";

/**
 * Writes the state that `tune` gives to `checkpoint.save` to a file (Node), and keeps the one before beside it, as NAME.previous. Whenever
 * the process or the machine stops, one of them is whole.
 */
export async function saveCheckpoint(path: string, state: CheckpointState): Promise<void> {
  const { saveCheckpoint } = await import("./file");
  return saveCheckpoint(path, state);
}

/**
 * The newest whole checkpoint at a path (Node), with a note where that is the one before; undefined where none was saved. Throws FormatError
 * where there are some, but none is whole.
 */
export async function loadCheckpoint(path: string): Promise<LoadedCheckpoint | undefined> {
  const { loadCheckpoint } = await import("./file");
  return loadCheckpoint(path);
}

/** Removes a checkpoint (Node) and the one before, which goes first: killed in between, a run goes on from the last. */
export async function removeCheckpoint(path: string): Promise<void> {
  const { removeCheckpoint } = await import("./file");
  return removeCheckpoint(path);
}
