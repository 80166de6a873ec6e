// Long work gives way to the event loop: timers, messages, input and a page's drawing get their turn, by time and not by
// step, so that a thousand short steps cost next to nothing and a long one is followed by a turn at once.

/** Longest that work goes on between two turns of the event loop, in milliseconds. */
export const WORK_MS = 8;

/** Awaited between two pieces of work. Throws the signal's reason once it is aborted. */
export type GiveWay = () => Promise<void>;

export function givingWay(signal: AbortSignal | undefined): GiveWay {
  let last = performance.now();
  return async () => {
    if (performance.now() - last >= WORK_MS) {
      await nextTurn();
      last = performance.now();
    }
    signal?.throwIfAborted();
  };
}

/** Resolves in the next turn. Pages put off timers, by 4 ms in front and by a second or more when hidden; messages come at once. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else if (typeof MessageChannel === "undefined") setTimeout(resolve, 0);
    else {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(undefined);
    }
  });
}
