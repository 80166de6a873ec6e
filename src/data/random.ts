// The seeded generator that picks and orders samples: xoshiro128** 1.1 (Blackman & Vigna 2018), seeded through
// splitmix32. Its state is four numbers, so it can be saved and continued; nothing here depends on the engine.

export interface Random {
  /** The next 32 bits, 0 … 2^32 − 1. */
  next(): number;
  /** A whole number 0 … n − 1, each as likely as the other. */
  below(n: number): number;
  /** What `createRandom` takes to continue from here. */
  readonly state: readonly [number, number, number, number];
}

const rotate = (x: number, k: number) => (x << k) | (x >>> (32 - k));

function seedState(seed: number): [number, number, number, number] {
  let s = seed | 0;
  const next = () => {
    s = (s + 0x9e3779b9) | 0;
    let z = s;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  return [next(), next(), next(), next()];
}

export function createRandom(seed: number | Random["state"]): Random {
  let [a, b, c, d] = typeof seed === "number" ? seedState(seed) : seed;
  const next = () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return result;
  };
  return {
    next,
    below(n) {
      const limit = 2 ** 32 - (2 ** 32 % n); // draws at or past it would favour small results
      let draw = next();
      while (draw >= limit) draw = next();
      return draw % n;
    },
    get state() {
      return [a, b, c, d] as const;
    },
  };
}

/** `n` different indices below `count`, in ascending order; all of them when there are no more than `n`. */
export function sampleIndices(count: number, n: number, seed: number): Int32Array {
  const all = Int32Array.from({ length: count }, (_, i) => i);
  if (n >= count) return all;
  const random = createRandom(seed);
  for (let i = 0; i < n; i++) {
    const j = i + random.below(count - i);
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all.subarray(0, n).sort();
}
