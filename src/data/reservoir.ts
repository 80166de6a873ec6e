// Which earlier samples stay: a few of all that ever came, by chance that a seed decides.

import { Random } from "../graph/random";

/** Where a sample lies, and what it is. */
export interface KeptSample {
  readonly slot: number;
  readonly label: number;
}

/**
 * Class-balancing reservoir sampling (Chrysakis & Moens 2020): a sample of a class that is not the largest takes the place of one
 * of the largest; one of the largest that of its own, each that ever came being as likely to be there. Returns which is let go of.
 */
export function remember(
  earlier: KeptSample[],
  sample: KeptSample,
  /** By class: how many have left the latest so far, this one among them. */
  left: ReadonlyMap<number, number>,
  { most: room, seed, balance }: { readonly most: number; readonly seed: number; readonly balance: boolean },
): KeptSample | undefined {
  if (room === 0) return sample;
  if (earlier.length < room) {
    earlier.push(sample);
    return undefined;
  }
  const total = [...left.values()].reduce((sum, n) => sum + n, 0);
  const random = new Random(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(total, 0x85ebca6b));
  const largest = largestClassOf(earlier);
  const own = earlier.filter(({ label }) => label === sample.label).length;
  const most = earlier.filter(({ label }) => label === largest).length;
  const isLargest = own === most;
  if (!balance || isLargest) {
    const [seen, places] = balance ? [left.get(sample.label)!, own] : [total, earlier.length];
    if (random.below(seen) >= places) return sample;
  }
  const from = balance ? (isLargest ? sample.label : largest) : undefined;
  const places = earlier.flatMap(({ label }, i) => (from === undefined || label === from ? [i] : []));
  const place = places[random.below(places.length)]!;
  const out = earlier[place]!;
  earlier[place] = sample;
  return out;
}

/** The class with most samples; of equals the one whose sample comes first. */
export function largestClassOf(kept: readonly KeptSample[]): number {
  const counts = new Map<number, number>();
  for (const { label } of kept) counts.set(label, (counts.get(label) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return kept.find(({ label }) => counts.get(label) === most)!.label;
}
