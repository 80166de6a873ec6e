// An arithmetic coder of bits (Witten, Neal, Cleary 1987; the carryless form of lpaq, Mahoney 2007): a bit that was expected takes
// a small part of a bit. Integers below 2^48 only, so every engine writes the same bytes. Writing and reading are
// one code: `code(odds, context, bit)` returns the bit that it wrote or read.

import { FormatError } from "../errors";

/** Chances are in 1/65536. */
const ONE = 65536;
/** Bits after which odds change no faster than by a part of this. */
const MEMORY = 255;

/** How likely a 1 is in each of some contexts, learned from the bits that were coded there. */
export class Odds {
  readonly #ones: Uint16Array;
  readonly #seen: Uint8Array;

  constructor(contexts: number) {
    this.#ones = new Uint16Array(contexts).fill(ONE / 2);
    this.#seen = new Uint8Array(contexts);
  }

  of(context: number): number {
    return this.#ones[context]!;
  }

  learn(context: number, bit: number): void {
    const [odds, seen] = [this.#ones[context]!, this.#seen[context]!];
    this.#ones[context] = odds + Math.trunc(((bit ? ONE - 1 : 0) - odds) / (seen + 1.5));
    if (seen < MEMORY) this.#seen[context] = seen + 1;
  }
}

/** The interval of numbers that begin with all bits so far: `low` to `high`, of 32 bits each, whose first bytes differ. */
export abstract class RangeCoder {
  protected low = 0;
  #high = 0xffffffff;

  code(odds: Odds, context: number, bit: number): number {
    const middle = this.low + Math.floor(((this.#high - this.low) * odds.of(context)) / ONE);
    const coded = this.decide(middle, bit);
    if (coded) this.#high = middle;
    else this.low = middle + 1;
    odds.learn(context, coded);
    while ((this.low ^ this.#high) >>> 24 === 0) {
      this.pass(this.low >>> 24);
      this.low = (this.low << 8) >>> 0;
      this.#high = ((this.#high << 8) | 255) >>> 0;
    }
    return coded;
  }

  /** 1 for the numbers up to `middle`. */
  protected abstract decide(middle: number, bit: number): number;
  /** Goes on after a byte that is known. */
  protected abstract pass(byte: number): void;
}

export class RangeWriter extends RangeCoder {
  readonly #bytes: number[] = [];

  protected decide(_: number, bit: number): number {
    return bit;
  }

  protected pass(byte: number): void {
    this.#bytes.push(byte);
  }

  /** All bytes; nothing may be coded after. */
  finish(): Uint8Array {
    for (const shift of [24, 16, 8, 0]) this.#bytes.push((this.low >>> shift) & 255);
    return Uint8Array.from(this.#bytes);
  }
}

export class RangeReader extends RangeCoder {
  readonly #bytes: Uint8Array;
  readonly #where: string;
  #at = 0;
  #number = 0;

  constructor(bytes: Uint8Array, where: string) {
    super();
    this.#bytes = bytes;
    this.#where = where;
    for (let i = 0; i < 4; i++) this.pass();
  }

  protected decide(middle: number): number {
    return this.#number <= middle ? 1 : 0;
  }

  protected pass(): void {
    if (this.#at === this.#bytes.length) throw this.#damaged("it ends too soon");
    this.#number = ((this.#number << 8) | this.#bytes[this.#at++]!) >>> 0;
  }

  /** Throws FormatError where something is left. */
  finish(): void {
    if (this.#at < this.#bytes.length) throw this.#damaged("it goes on after its end");
  }

  #damaged(what: string): FormatError {
    return new FormatError(`damaged, ${what}`, { where: this.#where });
  }
}
