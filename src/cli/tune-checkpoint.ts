// The checkpoint of a run of octette tune, beside the file that it is to write: what it goes on from, and what people read of it.

import { contentHash } from "../formats/octette";
import type { Graph } from "../index";
import type { CheckpointState } from "../train/checkpoint/checkpoint";
import { loadCheckpoint, removeCheckpoint, saveCheckpoint } from "../train/checkpoint/file";
import type { Context } from "./command";

const stepOf = ({ progress }: CheckpointState) => progress.step as number;

/** As `tune` takes it in its options. */
export class Checkpoint {
  readonly state: CheckpointState | undefined;
  readonly #path: string;
  readonly #context: Context;
  /** The step that the file holds, once this run may go on from it. */
  #step: number | undefined;

  private constructor(path: string, state: CheckpointState | undefined, context: Context) {
    this.#path = path;
    this.state = state;
    this.#context = context;
  }

  /** The checkpoint to go on from, where that is wanted; where it is not, says that there is one of this model. */
  static async open(path: string, graph: Graph, resume: boolean, context: Context): Promise<Checkpoint> {
    if (!resume) {
      const found = await loadCheckpoint(path).catch(() => undefined);
      if (found?.state.model === contentHash(graph))
        context.log(
          `${path} holds step ${stepOf(found.state)} of an earlier run of this model; without --resume it is begun anew`,
        );
      return new Checkpoint(path, undefined, context);
    }
    const found = await loadCheckpoint(path);
    if (found?.note) context.log(found.note);
    if (!found) context.log(`no checkpoint at ${path}: begins anew`);
    return new Checkpoint(path, found?.state, context);
  }

  /** The run has begun, from this checkpoint if there was one. */
  begin(): void {
    if (!this.state) return;
    this.#step = stepOf(this.state);
    this.#context.log(`goes on from ${this.#path}, step ${this.#step}`);
  }

  readonly save = async (state: CheckpointState): Promise<void> => {
    await saveCheckpoint(this.#path, state);
    this.#step = stepOf(state);
  };

  /** The run is over. */
  remove(): Promise<void> {
    return removeCheckpoint(this.#path);
  }

  /** Says how to go on after an error, and what else went wrong where that is Ctrl-C. */
  explain(error: unknown): void {
    const { log, progress, signal } = this.#context;
    progress.end();
    if (signal.aborted && error !== signal.reason) log(`octette: ${(error as Error).message}`);
    if (this.#step !== undefined)
      log(`${this.#path} holds step ${this.#step}: the same command with --resume goes on from there`);
  }
}
