// How scales and zero points of activations move while a model is trained: numbers that the host updates between steps, from
// what a step found. They are state like masters are, one row for each set of values that shares them.

import { OctetteError } from "../errors";
import type { Graph } from "../graph/graph";
import { type Tensor, tensor } from "../graph/tensor";
import { type Affine, activationParameters } from "../quantize/scheme";
import { type Shared, withParameters } from "./shared";

const { fround, max, min } = Math;

/** What may be asked for: ranges that stay as calibration found them, or that follow the batches as a moving average. */
export type RangeOptions =
  | { readonly kind: "frozen" }
  | {
      readonly kind: "moving";
      /** Part of a batch's range in the next one; default 0.01. */
      readonly momentum?: number;
      /** Steps after which they stay, or below 1 what part of all; default 0.5. Infinity: never. */
      readonly freezeAt?: number;
    };

/** Checked, with the defaults, for a run of so many steps; undefined where nothing moves. */
export function activationsOf(ranges: RangeOptions, steps: number): ActivationOptions | undefined {
  if (ranges.kind === "frozen") return undefined;
  if (ranges.kind !== "moving")
    throw rangeError(
      "kind",
      '"frozen" or "moving"',
      JSON.stringify((ranges as { kind?: unknown }).kind) ?? "none",
    );
  const { kind, momentum = 0.01, freezeAt = 0.5 } = ranges;
  if (!(momentum > 0 && momentum <= 1))
    throw rangeError("momentum", "a number above 0, at most 1", `${momentum}`);
  const isCount = Number.isInteger(freezeAt) || freezeAt === Infinity;
  if (!(freezeAt >= 0 && (freezeAt < 1 || isCount)))
    throw rangeError("freezeAt", "a whole number of steps, or a part of them below 1", `${freezeAt}`);
  return { kind, momentum, freezeAt: freezeAt < 1 ? Math.floor(freezeAt * steps) : freezeAt };
}

const rangeError = (name: string, expected: string, got: string) =>
  new OctetteError("ranges cannot move so", { code: "argument", where: `ranges.${name}`, expected, got });

/** Ranges follow those of the batches, as a moving average, up to a step and that included. */
export interface MovingRanges {
  readonly kind: "moving";
  /** Part of a batch's range in the next one. */
  readonly momentum: number;
  /** Steps after which they stay; infinite where they never do. */
  readonly freezeAt: number;
}

export type ActivationOptions = MovingRanges;

/** Name of the state. */
export const ACTIVATIONS = "@activations";

/** The range of u8 codes, as a moving average begins. */
const rangeOf = ({ scale, zeroPoint }: Affine): readonly number[] => [
  fround(-zeroPoint * scale),
  fround((255 - zeroPoint) * scale),
];

/** The state as training begins: lo and hi of every set. */
export const startOf = (all: readonly Shared[]): Tensor =>
  tensor("f32", [all.length, 2], all.flatMap(rangeOf));

/** The deployed graph with the parameters that a state stands for; where it never moved, with those that it had. */
export function withActivations(graph: Graph, all: readonly Shared[], state: Float32Array): Graph {
  const start = startOf(all).data;
  const moved = all.flatMap((shared, i) => {
    const [lo, hi] = [state[2 * i]!, state[2 * i + 1]!];
    if (lo === start[2 * i] && hi === start[2 * i + 1]) return [];
    return [[shared, activationParameters(lo, hi)] as const];
  });
  return moved.length === 0 ? graph : withParameters(graph, moved);
}

/** Moves the averages by what a step saw: of every set the ranges of its values, two numbers a sample. */
export function follow(
  state: Float32Array,
  seen: readonly (readonly ArrayLike<number>[])[],
  momentum: number,
): void {
  for (const [i, ranges] of seen.entries()) {
    let [lo, hi] = [Infinity, -Infinity];
    for (const range of ranges)
      for (let at = 0; at < range.length; at += 2) {
        lo = min(lo, range[at]!);
        hi = max(hi, range[at + 1]!);
      }
    if (!Number.isFinite(lo) || !Number.isFinite(hi)) continue;
    for (const [j, found] of [lo, hi].entries()) {
      const old = state[2 * i + j]!;
      state[2 * i + j] = old + fround(fround(momentum) * fround(found - old));
    }
  }
}
