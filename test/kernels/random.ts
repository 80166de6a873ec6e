// Random operands of a seed.

/** Seeded numbers in [0, 1) (Numerical Recipes' linear congruential generator). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** An integer in [lo, hi]. */
export const int = (next: () => number, lo: number, hi: number): number =>
  lo + Math.floor(next() * (hi - lo + 1));

/** Fills with integers in [lo, hi], a fifth of them at the ends. */
export function fillInts<T extends { [i: number]: number; readonly length: number }>(
  target: T,
  next: () => number,
  lo: number,
  hi: number,
): T {
  for (let i = 0; i < target.length; i++) {
    const edge = next();
    target[i] = edge < 0.1 ? lo : edge < 0.2 ? hi : int(next, lo, hi);
  }
  return target;
}
