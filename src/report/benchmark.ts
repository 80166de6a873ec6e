// How fast a model runs, and how near each of its steps comes to what the engine's multiply-adds can do: after a warm-up,
// all that is compared takes its turn in short rounds, so that a busy machine disturbs all alike.

import type { Feeds } from "../engine/feeds";
import type { Model, StepProfile } from "../engine/model";
import { seededFeeds } from "../engine/self-test";
import { type GiveWay, givingWay } from "../event-loop";
import { LONG_CALL, type LongCallOptions } from "../long-call";
import { checkOptions, type Names } from "../options";
import { type Arithmetic, createCeiling } from "./ceiling";

/** Options of `benchmark`. */
export interface BenchmarkOptions extends LongCallOptions {
  /**
   * What to run on, no more of it than the model was loaded for; default: random numbers from a fixed seed, every
   * symbol 1.
   */
  readonly feeds?: Feeds | undefined;
  /** Seconds to measure, after the warm-up; default 2. At least MIN_ROUNDS rounds are done however long they take. */
  readonly seconds?: number | undefined;
  /** A second model, which takes its turn between the rounds of the first, so that a busy machine disturbs both alike. Default: none. */
  readonly against?: Model | undefined;
  /** What `against` runs on. Default: as `feeds` by default. */
  readonly againstFeeds?: Feeds | undefined;
  /** Also every step, and the ceilings they are compared with. Default false. */
  readonly profile?: boolean | undefined;
}

const BENCHMARK = {
  feeds: 1,
  seconds: 1,
  against: 1,
  againstFeeds: 1,
  profile: 1,
  ...LONG_CALL,
} satisfies Names<BenchmarkOptions>;

/** How fast one model runs. */
export interface Speed {
  /** Of one run. */
  readonly microseconds: Spread;
  readonly runsPerSecond: number;
  /** Multiply-adds of one run. */
  readonly macs: number;
  readonly gmacsPerSecond: number;
}

/** What `benchmark` measured. */
export interface Benchmark extends Speed {
  readonly rounds: number;
  readonly profile?: Profile;
  /** The second model, and how many times as long a run of it takes: the ratio of the medians. */
  readonly against?: Speed & { readonly ratio: number };
}

/**
 * What calls took: percentiles of readings of the clock. A reading stands for the mean of the calls within 0.1 ms, or for one call
 * that takes longer.
 */
export interface Spread {
  readonly min: number;
  readonly p10: number;
  readonly median: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** All of it from lower deciles: other work on the machine lengthens a long step more often than a short loop. */
export interface Profile {
  /** GMAC/s with all sums in registers, int8 in the instructions of the class in use. */
  readonly ceilings: Readonly<Record<Arithmetic, number>>;
  readonly steps: readonly StepSpeed[];
}

/** What a step takes, beside the speed of the engine's own multiply-adds. */
export interface StepSpeed {
  readonly node: string;
  readonly kernel: string;
  readonly microseconds: number;
  /** Percentage of all steps' time. */
  readonly share: number;
  readonly macs: number;
  /** The rest is only there where the step multiplies and adds. */
  readonly gmacsPerSecond?: number;
  readonly arithmetic?: Arithmetic;
  /** Percentage of the ceiling of its arithmetic. */
  readonly ofCeiling?: number;
}

/** V8 optimises in the background: full speed comes after 3 to 8 ms of work, or much later on a busy core. */
const WARM_UP_MS = 500;
/** How long one of those that are compared works before the next has its turn. */
const ROUND_MS = 5;
/** A clock's reading stands for calls of this time: long against its resolution (0.1 ms in pages), or for one call. */
const SAMPLE_MS = 0.1;
export const MIN_ROUNDS = 5;
const SEED = 1;

/** Runs a model on the same feeds again and again and reports medians. */
export async function benchmark(model: Model, options: BenchmarkOptions = {}): Promise<Benchmark> {
  checkOptions("benchmark", options, BENCHMARK);
  const {
    feeds = seededFeeds(model.inputs, SEED, model.sizes),
    seconds = 2,
    against,
    profile = false,
    onProgress,
    signal,
  } = options;
  const giveWay = givingWay(signal);
  const run = await warmUp(() => model.runSync(feeds), giveWay);
  const { againstFeeds = against && seededFeeds(against.inputs, SEED, against.sizes) } = options;
  const other = against && (await warmUp(() => against.runSync(againstFeeds!), giveWay));
  const profiler = profile ? await createProfiler(model, feeds, giveWay) : undefined;
  let rounds = 0;
  const start = performance.now();
  const total = 1000 * seconds;
  for (let done = 0; done < total || rounds < MIN_ROUNDS; rounds++) {
    run.round();
    other?.round();
    profiler?.round();
    await giveWay();
    done = performance.now() - start;
    await onProgress?.({ stage: "benchmark", done: Math.min(Math.round(done), total), total });
  }
  const speed = speedOf(model, feeds, run);
  const otherSpeed = other && speedOf(against!, againstFeeds!, other);
  return {
    rounds,
    ...speed,
    ...(profiler ? { profile: profiler.result() } : {}),
    ...(otherSpeed
      ? { against: { ...otherSpeed, ratio: otherSpeed.microseconds.median / speed.microseconds.median } }
      : {}),
  };
}

function speedOf(model: Model, feeds: Feeds, run: Watched): Speed {
  const microseconds = spreadOf(run.microseconds);
  const macs = model.profile(feeds, 1).reduce((sum, step) => sum + step.macs, 0);
  return {
    microseconds,
    runsPerSecond: 1e6 / microseconds.median,
    macs,
    gmacsPerSecond: macs / microseconds.median / 1000,
  };
}

interface Profiler {
  round(): void;
  result(): Profile;
}

/** Times the steps of a model one by one, and the ceilings beside them. */
async function createProfiler(model: Model, feeds: Feeds, giveWay: GiveWay): Promise<Profiler> {
  const ceiling = createCeiling(model.engine.engineClass);
  const loopOf = (arithmetic: Arithmetic) => warmUp(() => ceiling(arithmetic), giveWay);
  const loops = { int8: await loopOf("int8"), f32: await loopOf("f32") };
  const rateOf = (arithmetic: Arithmetic) =>
    ceiling(arithmetic) / spreadOf(loops[arithmetic].microseconds).p10 / 1000;
  const profiles: StepProfile[][] = [];
  const steps = await warmUp(() => profiles.push(model.profile(feeds, 1)), giveWay);
  profiles.length = 0;
  return {
    round() {
      for (const loop of Object.values(loops)) loop.round();
      steps.round();
    },
    result() {
      const ceilings = { int8: rateOf("int8"), f32: rateOf("f32") };
      return { ceilings, steps: stepSpeeds(profiles, ceilings) };
    },
  };
}

function stepSpeeds(
  profiles: readonly (readonly StepProfile[])[],
  ceilings: Profile["ceilings"],
): StepSpeed[] {
  const steps = profiles[0]!.map(({ node, kernel, macs }, i) => {
    const { p10 } = spreadOf(profiles.map((profile) => 1000 * profile[i]!.milliseconds));
    return { node, kernel, macs, microseconds: p10 };
  });
  const total = steps.reduce((sum, { microseconds }) => sum + microseconds, 0);
  return steps.map(({ node, kernel, macs, microseconds }) => {
    const speed = { node, kernel, microseconds, share: (100 * microseconds) / total, macs };
    if (macs === 0) return speed;
    const arithmetic = kernel.includes("Int8") ? "int8" : "f32";
    const gmacsPerSecond = macs / microseconds / 1000;
    return { ...speed, gmacsPerSecond, arithmetic, ofCeiling: (100 * gmacsPerSecond) / ceilings[arithmetic] };
  });
}

interface Watched {
  /** Works for ROUND_MS and notes what a call took. */
  round(): void;
  readonly microseconds: readonly number[];
}

/** Works until the engine has surely optimised, and finds how many calls the clock can tell from none. */
async function warmUp(work: () => unknown, giveWay: GiveWay): Promise<Watched> {
  const start = performance.now();
  let warm = 0;
  for (; performance.now() - start < WARM_UP_MS; warm++) {
    work();
    await giveWay();
  }
  const calls = Math.ceil((warm * SAMPLE_MS) / WARM_UP_MS);
  const microseconds: number[] = [];
  return {
    microseconds,
    round() {
      const end = performance.now() + ROUND_MS;
      for (let from = performance.now(), to = from; to < end; from = to) {
        for (let i = 0; i < calls; i++) work();
        to = performance.now();
        microseconds.push((1000 * (to - from)) / calls);
      }
    },
  };
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))]!;
  return {
    min: at(0),
    p10: at(0.1),
    median: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    max: at(1),
  };
}
