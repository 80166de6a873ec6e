// Long work lets others run: timers, messages and input of a process that must answer while it trains.

/** Resolves when others had their turn; throws where work was aborted. */
export type Breath = () => Promise<void>;

export function breathing(signal: AbortSignal | undefined): Breath {
  const turn: (done: () => void) => void =
    typeof setImmediate === "function" ? setImmediate : (done) => void setTimeout(done, 0);
  return async () => {
    await new Promise<void>((resolve) => turn(resolve));
    signal?.throwIfAborted();
  };
}
