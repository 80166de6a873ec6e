// What a checkpoint belongs to: everything that decides the numbers of a run.

import { contentHash } from "../../formats/octette";
import type { LossTerm } from "../step/losses";
import type { Optimizer } from "../step/optimizers";
import { fingerprint } from "./samples";
import type { defaults, TuneDeployedOptions } from "./tune-options";

/** What a run has chosen beside its options. */
export interface Chosen {
  readonly losses: readonly LossTerm[];
  readonly optimizer: Optimizer;
  readonly batch: number;
  readonly accumulate: number;
  readonly train: string;
  /** Numbers of samples: those trained on, and those validated on. */
  readonly samples: readonly [number, number];
}

/** The same text for the same run, in whichever process it goes on. */
export function identityOf(
  options: TuneDeployedOptions & typeof defaults,
  { losses, optimizer, batch, accumulate, train, samples }: Chosen,
): string {
  const { epochs, lr, schedule, seed, flip = false, clip, scales, ranges, activationScales } = options;
  return JSON.stringify(
    {
      losses,
      optimizer: { ...optimizer, lr: undefined },
      schedule,
      epochs,
      batch,
      lr,
      clip,
      accumulate,
      seed,
      flip,
      augment: options.augment ? true : undefined,
      train,
      scales: scales === "follow" ? undefined : scales,
      ranges: ranges.kind === "frozen" ? undefined : ranges,
      activationScales: activationScales === "frozen" ? undefined : activationScales,
      samples,
      data: [options.data, options.validation].map((set) =>
        typeof set === "number" ? set : fingerprint(set),
      ),
      teacher: options.teacher && contentHash(options.teacher),
    },
    (_, value) => (value === Infinity ? "Infinity" : value),
  );
}
