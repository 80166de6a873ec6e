// How scales and zero points of activations move while a model is trained: numbers that the host updates between steps, from
// what a step found. They are state like master weights, one row for each set of values that shares them.

import { OctetteError } from "../../errors";
import type { Graph } from "../../graph/graph";
import { type Tensor, tensor } from "../../graph/tensor";
import { type Affine, activationParameters } from "../../ops/scheme";
import { checkOptions, type Names } from "../../options";
import { SCALE_ROOM, type WeightScales } from "./prepare";
import { type Shared, withParameters } from "./quantization-groups";

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

const FROZEN = { kind: 1 } satisfies Names<Extract<RangeOptions, { kind: "frozen" }>>;
const MOVING = { kind: 1, momentum: 1, freezeAt: 1 } satisfies Names<
  Extract<RangeOptions, { kind: "moving" }>
>;

/** Scales of activations stay, but for ranges that move, or have gradients; their zero points stay. */
export type ActivationScales = "frozen" | "learned";

/** Checked, with the defaults, for a run of so many steps; undefined where nothing moves. */
export function activationsOf(
  ranges: RangeOptions,
  scales: ActivationScales,
  steps: number,
): ActivationOptions | undefined {
  checkOptions("ranges", ranges, ranges?.kind === "moving" ? MOVING : FROZEN);
  if (scales === "learned" && ranges.kind !== "frozen")
    throw rangeError("kind", '"frozen" where scales of activations are learned', `"${ranges.kind}"`);
  if (scales === "learned") return { kind: "learned" };
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

/** Throws where scales are asked for in a way that there is not. */
export function checkScales(scales: WeightScales, activationScales: ActivationScales): void {
  const check = (where: string, value: string, values: readonly string[]) => {
    if (!values.includes(value))
      throw new OctetteError("invalid choice for scales", {
        code: "argument",
        where,
        expected: values.join(" or "),
        got: JSON.stringify(value),
      });
  };
  check("scales", scales, ["follow", "learned"]);
  check("activationScales", activationScales, ["frozen", "learned"]);
}

const rangeError = (name: string, expected: string, got: string) =>
  new OctetteError("invalid choice for ranges", { code: "argument", where: `ranges.${name}`, expected, got });

/** Ranges follow those of the batches, as a moving average, up to a step and that included. */
interface MovingRanges {
  readonly kind: "moving";
  /** Part of a batch's range in the next one. */
  readonly momentum: number;
  /** Steps after which they stay; infinite where they never do. */
  readonly freezeAt: number;
  /** They stay from here on: steps need not look for them any more. */
  readonly isSettled?: true;
}

/** Scales have a gradient, and take steps of plain descent with it; zero points stay. */
interface LearnedScales {
  readonly kind: "learned";
}

export type ActivationOptions = MovingRanges | LearnedScales;
type Kind = ActivationOptions["kind"];

/** Names of the state, and of gradients that are kept. */
export const ACTIVATIONS = "@activations";
export const ACTIVATION_GRADIENTS = "@activations.gradient";

/** A row of the state as training begins: the range of u8 codes, or their scale. */
const startingRow = (kind: Kind, { scale, zeroPoint }: Affine): readonly number[] =>
  kind === "learned" ? [scale] : [fround(-zeroPoint * scale), fround((255 - zeroPoint) * scale)];

/** The state as training begins, a row for each set. */
export function startOf(kind: Kind, all: readonly Shared[]): Tensor {
  const rows = all.map((shared) => startingRow(kind, shared));
  return tensor("f32", [rows.length, kind === "learned" ? 1 : 2], rows.flat());
}

/**
 * The deployed graph with the parameters that a state stands for; where it never moved, with those that it had. Codes of biases
 * that are `computed` stay.
 */
export function withActivations(
  graph: Graph,
  all: readonly Shared[],
  kind: Kind,
  state: Float32Array,
  computed?: ReadonlySet<string>,
): Graph {
  const start = startOf(kind, all).data;
  const width = kind === "learned" ? 1 : 2;
  const moved = all.flatMap((shared, i) => {
    const [row, first] = [state, start].map((rows) => rows.subarray(i * width, (i + 1) * width));
    if (row!.every((number, j) => number === first![j])) return [];
    const [a, b] = row as unknown as [number, number];
    const now = kind === "learned" ? { scale: a, zeroPoint: shared.zeroPoint } : activationParameters(a, b);
    return [[shared, now] as const];
  });
  return moved.length === 0 ? graph : withParameters(graph, moved, computed);
}

/** What a step saw of every set: a tensor for each of its values that tell something. */
export type Seen = readonly (readonly ArrayLike<number>[])[];

/** Moves averages by the ranges a step saw, two numbers a sample. */
export function follow(state: Float32Array, seen: Seen, momentum: number): void {
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

/** Adds the gradients a step saw, a number a sample. */
export function accumulate(gradients: Float32Array, seen: Seen): void {
  for (const [i, slopes] of seen.entries())
    for (const each of slopes) for (let n = 0; n < each.length; n++) gradients[i]! += each[n]!;
}

/** scale −= lr · gradient, within bounds around its first value. */
export function descend(
  state: Float32Array,
  start: ArrayLike<number>,
  gradients: Float32Array,
  lr: number,
): void {
  for (const [i, gradient] of gradients.entries()) {
    const next = state[i]! - fround(fround(lr) * gradient);
    if (Number.isNaN(next)) continue;
    state[i] = min(max(next, start[i]! / SCALE_ROOM), start[i]! * SCALE_ROOM);
  }
}
