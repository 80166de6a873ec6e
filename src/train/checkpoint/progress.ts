// What a run has come to: all that a checkpoint holds beside the states of the trainer, and the reader that takes it back. A
// checkpoint may be a file that anybody wrote, or an object that JSON went through: nothing of it is used unchecked.

import { OctetteError } from "../../errors";
import type { Tensor, TypedArray } from "../../graph/tensor";
import type { LossHistory } from "../run/divergence";
import type { EpochReport } from "../run/tune-options";
import type { Validation } from "../run/validate";
import type { CheckpointState } from "./checkpoint";
import { checkSameRun, type Run } from "./resume-check";

export interface TrainingProgress extends LossHistory {
  /** Steps done. */
  step: number;
  before: Validation;
  /** Of this epoch so far: losses times samples, and right answers. */
  losses: number;
  right: number;
  best: { epoch: number; validation: Validation };
  epochs: EpochReport[];
}

/** Before anything was found. */
const NONE: Validation = { accuracy: 0, loss: Infinity };

export const beginning = (): TrainingProgress => ({
  step: 0,
  before: NONE,
  lossAtFirst: 0,
  lossOfLate: 0,
  losses: 0,
  right: 0,
  best: { epoch: 0, validation: NONE },
  epochs: [],
});

type Saved = TrainingProgress & { identity: string };

/** One of each kind of value that is saved: what is read must be of the same types. */
const EXAMPLE: Saved = {
  ...beginning(),
  epochs: [{ epoch: 1, loss: 0, accuracy: 0, validation: NONE, changed: 0, isBest: true }],
  identity: "",
};

/** The run that goes on from a checkpoint. */
export interface Resuming {
  readonly run: Run;
  readonly perEpoch: number;
  readonly epochs: number;
  /** What each tensor is written to. */
  readonly targets: ReadonlyMap<string, TypedArray>;
}

export const savedProgress = (progress: TrainingProgress, identity: string): CheckpointState["progress"] =>
  ({ ...progress, identity }) as unknown as CheckpointState["progress"];

/**
 * Takes a checkpoint: writes its tensors to their targets, and returns where the run stands. Throws an OctetteError, before
 * anything is written, where it is of another run or not whole.
 */
export function resume(
  state: CheckpointState,
  { run, perEpoch, epochs, targets }: Resuming,
): TrainingProgress {
  const { model, tensors, progress } = Object(state) as Partial<CheckpointState>;
  const misfit = misfitOf(progress, EXAMPLE, "progress");
  if (misfit) throw damaged(misfit.where, misfit.expected, misfit.got);
  const { identity, ...saved } = progress as unknown as Saved;
  checkSameRun(run, { model: String(model), options: identity });
  const [done, { step, best }] = [saved.epochs.length, saved];
  const isWhole = (n: number, most: number) => Number.isSafeInteger(n) && n >= 0 && n <= most;
  if (!isWhole(step, perEpoch * epochs)) throw damaged("progress.step", `0 to ${perEpoch * epochs}`, step);
  const whole = Math.floor(step / perEpoch);
  if (done !== whole && done !== whole - 1) throw damaged("progress.epochs", `${whole} of them`, done);
  if (!isWhole(best.epoch, done)) throw damaged("progress.best.epoch", `0 to ${done}`, best.epoch);
  if (typeof tensors?.get !== "function")
    throw damaged("tensors", "a Map", typeOf(tensors), "structuredClone keeps a checkpoint, JSON does not");
  const described = (data?: TypedArray) => (data ? `${data[Symbol.toStringTag]} of ${data.length}` : "none");
  const found = [...targets].map(([name, target]) => {
    const data = (tensors as ReadonlyMap<string, Tensor | undefined>).get(name)?.data;
    if (described(data) !== described(target))
      throw damaged(`tensor "${name}"`, described(target), described(data));
    return [target, data!] as const;
  });
  for (const [target, data] of found) target.set(data);
  return { ...saved, epochs: [...saved.epochs] };
}

const typeOf = (value: unknown) => (Array.isArray(value) ? "array" : value === null ? "null" : typeof value);

/** The first part that is not of the type of the example's. */
function misfitOf(
  value: unknown,
  example: unknown,
  where: string,
): { where: string; expected: string; got: string } | undefined {
  const [expected, got] = [typeOf(example), typeOf(value)];
  if (expected !== got) return { where, expected, got };
  const parts = expected === "array" ? (value as unknown[]).map((_, i) => i) : Object.keys(Object(example));
  if (expected === "string") return undefined;
  for (const part of parts as string[]) {
    const inner = (example as Record<string, unknown>)[expected === "array" ? 0 : part];
    const misfit = misfitOf((value as Record<string, unknown>)[part], inner, `${where}.${part}`);
    if (misfit) return misfit;
  }
  return undefined;
}

const damaged = (
  where: string,
  expected: string,
  got: string | number,
  hint = "Name another checkpoint, or begin anew",
) =>
  new OctetteError("the checkpoint does not fit the run", {
    code: "argument",
    where: `checkpoint, ${where}`,
    expected,
    got: `${got}`,
    hint,
  });
