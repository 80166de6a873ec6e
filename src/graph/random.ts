// The one source of random numbers: xoshiro128** (Blackman & Vigna 2018, prng.di.unimi.it), seeded by splitmix32, with a
// state of four words that can be saved. Integers and one division only: the same on every engine.

/** Random numbers from a seed: the same on every engine. */
export class Random {
  #state: Uint32Array;

  constructor(seed: number | readonly number[]) {
    this.#state = typeof seed === "number" ? expand(seed) : Uint32Array.from(seed);
  }

  /** What `new Random(state)` goes on from. */
  get state(): readonly number[] {
    return [...this.#state];
  }

  /** A 32-bit unsigned integer. */
  next(): number {
    const s = this.#state as unknown as [number, number, number, number];
    const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11);
    return result;
  }

  /** A number in [0, 1) with 24 bits: exact as f32. */
  uniform(): number {
    return (this.next() >>> 8) / 0x1000000;
  }

  /** An integer in [0, n). */
  below(n: number): number {
    return Math.floor((this.next() / 0x100000000) * n);
  }
}

const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by));

function expand(seed: number): Uint32Array {
  let z = seed >>> 0;
  return Uint32Array.from({ length: 4 }, () => {
    z = (z + 0x9e3779b9) | 0;
    let t = z ^ (z >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return (t ^ (t >>> 15)) >>> 0;
  });
}
