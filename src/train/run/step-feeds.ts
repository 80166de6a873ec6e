// What a step is fed with: samples, changed as was asked for, their labels, and what a teacher makes of them.

import type { Dataset } from "../../data/index";
import { checkFeeds, type Feeds } from "../../engine/feeds";
import type { Model } from "../../engine/model";
import type { Input } from "../../graph/graph";
import type { Random } from "../../graph/random";
import type { Tensor } from "../../graph/tensor";
import { LABELS, TEACHER } from "../step/losses";
import { flipped, rejectNaN } from "./augment";
import type { TuneDeployedOptions } from "./tune-options";

/** The labels of samples at these indices. */
export const labelsOf = ({ labels }: Dataset, rows: Int32Array): Int32Array =>
  rows.map((row) => labels![row]!);

/** Makes the feeds of samples at these indices. */
export function stepFeeds(
  inputs: readonly Input[],
  data: Dataset,
  { flip, augment }: Pick<TuneDeployedOptions, "flip" | "augment">,
  teacher: Model | undefined,
): (rows: Int32Array, random: Random) => Feeds {
  return (rows, random) => {
    const read: Record<string, Tensor> = Object.create(null);
    for (const [name, fed] of checkFeeds(inputs, data.at(rows)))
      read[name] = flip && fed.shape.length === 4 ? flipped(fed, random) : fed;
    const ready = augment?.(read, random) ?? read;
    rejectNaN(ready, rows, augment !== undefined);
    const feeds = Object.fromEntries(
      Object.entries(ready).map(([name, fed]) => [name, { ...fed, normalized: true }]),
    );
    const taught = teacher && { [TEACHER]: teacher.runSync(feeds)[teacher.outputs[0]!.name]! };
    const labels: Tensor = { dtype: "i32", shape: [rows.length], data: labelsOf(data, rows) };
    return { ...feeds, ...taught, [LABELS]: labels };
  };
}
