// What every long call takes: whom it tells of its progress, and what stops it.

import type { Names } from "./options";

/** How far a long call is. */
export interface Progress {
  /** What it does now: "calibrate", "tune", "evaluate", "compare" or "benchmark". */
  readonly stage: string;
  /** Samples of this stage that are done; steps where it tunes, milliseconds where it benchmarks. */
  readonly done: number;
  /** How many there are in all; absent where nobody knows, as with samples from an iterable. */
  readonly total?: number | undefined;
}

export interface LongCallOptions {
  /** Told how far the work is, at least once a batch or step; a promise it returns is awaited. Default: nobody is told. */
  readonly onProgress?: ((progress: Progress) => unknown) | undefined;
  /** Stops the work before the next batch or step: the call throws the signal's reason, as `fetch` does. Default: nothing stops it. */
  readonly signal?: AbortSignal | undefined;
}

export const LONG_CALL = { onProgress: 1, signal: 1 } satisfies Names<LongCallOptions>;
