// Learning rates over the steps of a training: constant, along a cosine, or in steps down, each after a linear warm-up.
// + − × ÷ only, so that a rate is the same on every engine.

import { OctetteError } from "../../errors";
import { checkOptions, type Names } from "../../options";

/** How the learning rate grows at first. */
export interface WarmUp {
  /** Steps in which the rate grows from near 0 to its full size. Default 0. */
  readonly warmup?: number;
}

/** The full rate all along. */
export interface ConstantSchedule extends WarmUp {
  readonly kind: "constant";
}

/** From the full rate down to `floor` times it along half a cosine (Loshchilov & Hutter 2017, without restarts). */
export interface CosineSchedule extends WarmUp {
  readonly kind: "cosine";
  /** Part of the full rate that it ends with; default 0. */
  readonly floor?: number;
}

/** Times `factor` after every `every` steps. */
export interface StepSchedule extends WarmUp {
  readonly kind: "step";
  /** Steps at one rate. */
  readonly every: number;
  /** What the rate is multiplied with each time; default 0.1. */
  readonly factor?: number;
}

/** How the learning rate changes over the steps. */
export type Schedule = ConstantSchedule | CosineSchedule | StepSchedule;

const CONSTANT = { kind: 1, warmup: 1 } satisfies Names<ConstantSchedule>;
const SCHEDULES = {
  constant: CONSTANT,
  cosine: { ...CONSTANT, floor: 1 } satisfies Names<CosineSchedule>,
  step: { ...CONSTANT, every: 1, factor: 1 } satisfies Names<StepSchedule>,
};

/** Throws where a schedule is none. */
export function checkSchedule(schedule: Schedule): void {
  const { kind } = Object(schedule) as Schedule;
  if (!Object.hasOwn(SCHEDULES, kind))
    throw scheduleError("kind", '"constant", "cosine" or "step"', JSON.stringify(kind) ?? "none");
  checkOptions("schedule", schedule, SCHEDULES[kind]);
  const { warmup = 0 } = schedule;
  if (!Number.isSafeInteger(warmup) || warmup < 0)
    throw scheduleError("warmup", "a whole number of steps", String(warmup));
  if (schedule.kind === "cosine") {
    const { floor = 0 } = schedule;
    if (!(floor >= 0 && floor <= 1)) throw scheduleError("floor", "a share from 0 to 1", String(floor));
  }
  if (schedule.kind === "step") {
    const { every, factor = FACTOR } = schedule;
    if (!Number.isSafeInteger(every) || every < 1)
      throw scheduleError("every", "a whole number of steps from 1 on", String(every));
    if (!(factor > 0 && factor <= 1))
      throw scheduleError("factor", "a number above 0, at most 1", String(factor));
  }
}

const scheduleError = (name: string, expected: string, got: string) =>
  new OctetteError("invalid learning rate schedule", {
    code: "argument",
    where: `schedule.${name}`,
    expected,
    got,
  });

const FACTOR = 0.1;

/** The rate of a step, counted from 0, of `total`, where `lr` is the full one. */
export function learningRate(schedule: Schedule, lr: number, step: number, total: number): number {
  const { warmup = 0 } = schedule;
  if (step < warmup) return (lr * (step + 1)) / warmup;
  if (schedule.kind === "constant") return lr;
  const since = step - warmup;
  if (schedule.kind === "step") {
    const { every, factor = FACTOR } = schedule;
    let rate = lr;
    for (let n = every; n <= since; n += every) rate *= factor;
    return rate;
  }
  const { floor = 0 } = schedule;
  const progress = Math.min(1, since / Math.max(1, total - warmup));
  return lr * (floor + ((1 - floor) * (1 + cosineOfHalfTurns(progress))) / 2);
}

/**
 * cos πx for x in 0..1 within 3 · 10⁻¹⁶: Taylor's series to (πx)²² for the first quarter of a turn, whose next term is
 * below 10⁻¹⁹, and its mirror image for the second.
 */
export function cosineOfHalfTurns(x: number): number {
  if (x > 0.5) return -cosineOfHalfTurns(1 - x);
  const angle = Math.PI * x;
  const square = angle * angle;
  let sum = 1;
  for (let n = 22; n > 0; n -= 2) sum = 1 - (square / (n * (n - 1))) * sum;
  return sum;
}
