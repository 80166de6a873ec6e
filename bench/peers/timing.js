// Time of a run in a process of its own, warm.

const MEASURE_MS = 700;
/** The engine optimises in the background, on the same core: warm is what did not get faster for a while. */
const WARM_UP = { windowMs: 500, leastWindows: 4, mostWindows: 20, faster: 0.9 };
/** A clock's reading stands for calls of this time, or for one call. */
const SAMPLE_MS = 0.5;
/** V8 puts in its optimised code between tasks. */
const PAUSE_MS = 50;

/** Runs for a while and returns the median of milliseconds a run. Results that are promises are awaited, others not. */
async function measure(run, ms, calls) {
  const samples = [];
  const start = performance.now();
  let pause = start;
  for (let now = start; now - start < ms || samples.length < 5; ) {
    for (let i = 0; i < calls; i++) {
      const result = run();
      if (result instanceof Promise) await result;
    }
    const end = performance.now();
    samples.push((end - now) / calls);
    now = end;
    if (now - pause < PAUSE_MS) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    pause = now = performance.now();
  }
  return samples.sort((a, b) => a - b)[samples.length >> 1];
}

async function warmUp(run) {
  let best = Number.POSITIVE_INFINITY;
  for (let window = 1; window <= WARM_UP.mostWindows; window++) {
    const time = await measure(run, WARM_UP.windowMs, 1);
    if (window >= WARM_UP.leastWindows && time > WARM_UP.faster * best) break;
    best = Math.min(best, time);
  }
  return best;
}

/** Milliseconds of a run. */
export async function timeOf(run) {
  const calls = Math.ceil(SAMPLE_MS / (await warmUp(run)));
  return measure(run, MEASURE_MS, calls);
}
