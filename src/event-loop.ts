// Long work gives way to the event loop: timers, messages, input and a page's drawing get their turn, by time and not by
// step, so that a thousand short steps cost next to nothing and a long one is followed by a turn at once.

/** Longest that work goes on between two turns of the event loop, in milliseconds. */
export const WORK_MS = 8;

/** Longest that a timer can be set for. */
const MAX_REST_MS = 2 ** 31 - 1;

/** How much of a thread long work takes. It decides when work pauses, never what is computed. */
export interface Pace {
  /** Longest that work goes on between two turns of the event loop, in milliseconds, where no single kernel takes longer; default 8. */
  readonly blockMs?: number | undefined;
  /** Share of the time that it works, above 0; 1 (default): all that others leave. A hidden page rests no longer than a turn. */
  readonly share?: number | undefined;
}

/** Awaited between two pieces of work. Throws the signal's reason once it is aborted. */
export interface GiveWay {
  (): Promise<void>;
  /** Whether a pace was asked for: then work that takes long is to be cut into pieces. */
  readonly isPaced: boolean;
  /** Whether a turn is due. */
  isDue(): boolean;
}

export function givingWay(signal: AbortSignal | undefined, pace?: Pace): GiveWay {
  const { blockMs = WORK_MS, share = 1 } = pace ?? {};
  let last = performance.now();
  const giveWay = async () => {
    const worked = performance.now() - last;
    if (worked >= blockMs) {
      await rest(worked * (1 / share - 1), signal);
      last = performance.now();
    }
    signal?.throwIfAborted();
  };
  return Object.assign(giveWay, {
    isPaced: pace !== undefined,
    isDue: () => performance.now() - last >= blockMs,
  });
}

/** Resolves in a later turn, after so many milliseconds or when the signal is aborted. */
function rest(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  // Hidden pages put off timers by a second or more, and nobody waits for their turns.
  if (milliseconds < 1 || (typeof document !== "undefined" && document.hidden)) return nextTurn();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(milliseconds, MAX_REST_MS));
    signal?.addEventListener("abort", done);
  });
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
