// Long loops that leave room for others: a signal can stop them, and timers, input and Ctrl-C get their turn.

/** Ctrl-C and a page's drawing wait no longer than this, in milliseconds. */
const TURN_MS = 40;

/** A function to await in a loop: gives way to other work now and then, and throws once the signal is aborted. */
export function createPatience(signal: AbortSignal | undefined): () => Promise<void> {
  let last = Date.now();
  return async () => {
    if (Date.now() - last >= TURN_MS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      last = Date.now();
    }
    signal?.throwIfAborted();
  };
}
