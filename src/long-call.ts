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

/** Options of every long call. */
export interface LongCallOptions {
  /** Told how far the work is, at least once a batch or step; a promise it returns is awaited. Default: nobody is told. */
  readonly onProgress?: ((progress: Progress) => unknown) | undefined;
  /** Stops the work before the next batch or step: the call throws the signal's reason, as `fetch` does. Default: nothing stops it. */
  readonly signal?: AbortSignal | undefined;
}

export const LONG_CALL = { onProgress: 1, signal: 1 } satisfies Names<LongCallOptions>;

/** Items as they come, until the signal is aborted: then it throws the reason, even while it waits for one. */
export async function* until<T>(
  items: Iterable<T> | AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  if (!signal || Symbol.iterator in items) return yield* items;
  signal.throwIfAborted();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
  });
  aborted.catch(() => {});
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await Promise.race([aborted, iterator.next()]);
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    // One that waits ends after what it waits for, which may never come.
    const ending = iterator.return?.();
    if (!signal.aborted) await ending;
  }
}
