// SHA-256 (FIPS 180-4) of bytes as they pass: Node's own where there is one, which is ten times as fast from the first byte on.
// Pages have one that is asynchronous, and absent on insecure origins: there it is computed here.

import { nodeSha256 } from "../node-module";

export interface Sha256 {
  update(bytes: Uint8Array): Sha256;
  /** In hexadecimal. */
  digest(): string;
}

export const createSha256 = (): Sha256 => nodeSha256() ?? new PlainSha256();

const BLOCK = 64;

/** Without help from the engine. */
export class PlainSha256 implements Sha256 {
  readonly #sums = constants(8, Math.sqrt);
  readonly #keys = constants(64, cubeRoot);
  readonly #words = new Int32Array(64);
  /** A block of which some bytes are there. */
  readonly #block = new Uint8Array(BLOCK);
  #bytes = 0;

  update(bytes: Uint8Array): this {
    const filled = this.#bytes % BLOCK;
    const first = Math.min(bytes.length, BLOCK - filled);
    this.#bytes += bytes.length;
    this.#block.set(bytes.subarray(0, first), filled);
    if (filled + first < BLOCK) return this;
    this.#add(this.#block, 0);
    let at = first;
    for (; at + BLOCK <= bytes.length; at += BLOCK) this.#add(bytes, at);
    this.#block.set(bytes.subarray(at));
    return this;
  }

  digest(): string {
    const bits = this.#bytes * 8;
    const end = new Uint8Array(BLOCK + 8 - ((this.#bytes + 8) % BLOCK));
    const view = new DataView(end.buffer);
    end[0] = 0x80;
    view.setUint32(end.length - 8, bits / 2 ** 32);
    view.setUint32(end.length - 4, bits);
    this.update(end);
    return [...this.#sums].map((sum) => (sum >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #add(bytes: Uint8Array, at: number): void {
    const sums = this.#sums;
    const keys = this.#keys;
    const w = this.#words;
    for (let i = 0; i < 16; i++, at += 4)
      w[i] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    for (let i = 16; i < 64; i++) {
      const p = w[i - 15]!;
      const q = w[i - 2]!;
      const s0 = turn(p, 7) ^ turn(p, 18) ^ (p >>> 3);
      const s1 = turn(q, 17) ^ turn(q, 19) ^ (q >>> 10);
      w[i] = w[i - 16]! + s0 + w[i - 7]! + s1;
    }
    let a = sums[0]!;
    let b = sums[1]!;
    let c = sums[2]!;
    let d = sums[3]!;
    let e = sums[4]!;
    let f = sums[5]!;
    let g = sums[6]!;
    let h = sums[7]!;
    for (let i = 0; i < 64; i++) {
      const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const one = (h + s1 + ((e & f) ^ (~e & g)) + keys[i]! + w[i]!) | 0;
      const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
      const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    sums[0]! += a;
    sums[1]! += b;
    sums[2]! += c;
    sums[3]! += d;
    sums[4]! += e;
    sums[5]! += f;
    sums[6]! += g;
    sums[7]! += h;
  }
}

/** To the right, of 32 bits. */
const turn = (x: number, by: number) => (x >>> by) | (x << (32 - by));

/** The first 32 bits of the fractions of the first primes' roots (4.2.2, 5.3.3). */
function constants(count: number, root: (n: number) => number): Int32Array {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime > 0)) primes.push(n);
  return Int32Array.from(primes, (prime) => (root(prime) % 1) * 2 ** 32);
}

/** By Newton's method, for numbers of three digits. Math.cbrt may differ between engines. */
function cubeRoot(n: number): number {
  let x = 4;
  for (let i = 0; i < 9; i++) x = (2 * x + n / (x * x)) / 3;
  return x;
}
