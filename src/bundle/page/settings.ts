// What the page knows of its model beyond what the model itself says: written into index.html when it is bundled.

import type { Preprocessing } from "../../graph/graph";

export interface PageSettings {
  /** Name of the model's file. */
  readonly model: string;
  /** Tells the model from others: the samples that are kept for it stay when its file gets another name. */
  readonly hash: string;
  /** Whether it has no integer layer. */
  readonly isFloat: boolean;
  /** Why the model cannot learn in the page; "" where it can. */
  readonly learning: string;
  /** By input: the lowest and highest number that calibration saw. */
  readonly ranges: Readonly<Record<string, readonly [number, number]>>;
}

/** What an input's numbers look like, for controls that make them. */
export interface Known {
  readonly preprocessing?: Preprocessing | undefined;
  readonly range?: readonly [number, number] | undefined;
}
