// Which samples to take when not all are wanted: picked by a seed, so that sorted files give every class.

import { Random } from "../graph/random";

/** 0 … n − 1 in an order that `random` chose (Fisher & Yates). */
export function shuffled(n: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** `n` different indices below `count`, in ascending order; all of them when there are no more than `n`. */
export function sampleIndices(count: number, n: number, seed: number): Int32Array {
  const all = Int32Array.from({ length: count }, (_, i) => i);
  if (n >= count) return all;
  const random = new Random(seed);
  for (let i = 0; i < n; i++) {
    const j = i + random.below(count - i);
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all.subarray(0, Math.max(0, n)).sort();
}
