// Reads deflate (RFC 1951) to bytes that are there beforehand: it asks for no memory that a file could ask for.

/** A code of Huffman: for the next `bits` bits of the input, a symbol and how many of them are its own. */
interface Code {
  readonly bits: number;
  /** 16 · symbol + bits; 0 where no symbol begins so. */
  readonly symbols: Uint16Array;
}

/** The order in which a block has the lengths of the code that its lengths are in (§3.2.7). */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const END_OF_BLOCK = 256;
const LONGEST_MATCH = 258;

/** The code with a symbol of each of these lengths, 0 for none (§3.2.2). */
function codeOf(lengths: ArrayLike<number>): Code {
  const bits = Math.max(1, ...Array.from(lengths));
  const symbols = new Uint16Array(1 << bits);
  let code = 0;
  for (let length = 1; length <= bits; length++, code <<= 1)
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      if (code >> length) throw new Error("a code with too many symbols");
      // The input has the first bit of a code lowest.
      let reversed = 0;
      for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
      for (let at = reversed; at < symbols.length; at += 1 << length) symbols[at] = 16 * symbol + length;
      code++;
    }
  return { bits, symbols };
}

/** The codes of blocks that have none of their own (§3.2.6), once a block has asked for them. */
let fixed: readonly [Code, Code] | undefined;
const fixedCodes = () => {
  const runs = (...lengths: readonly [length: number, times: number][]) =>
    codeOf(lengths.flatMap(([length, times]) => Array<number>(times).fill(length)))!;
  return [runs([8, 144], [9, 112], [7, 24], [8, 8]), runs([5, 30])] as const;
};

const ENDS_EARLY = "it ends within a block";

/** The bits of the input, the lowest of a byte first. */
class Bits {
  #at = 0;
  /** Those that are read and not taken, and their count. */
  #held = 0;
  #count = 0;

  constructor(readonly bytes: Uint8Array) {}

  /** The next so many, at most 16; 0 behind the end. */
  #peek(bits: number): number {
    for (; this.#count < bits; this.#count += 8) this.#held |= (this.bytes[this.#at++] ?? 0) << this.#count;
    return this.#held & ((1 << bits) - 1);
  }

  #pass(bits: number): void {
    this.#held >>>= bits;
    this.#count -= bits;
    if (8 * this.#at - this.#count > 8 * this.bytes.length) throw new Error(ENDS_EARLY);
  }

  take(bits: number): number {
    const value = this.#peek(bits);
    this.#pass(bits);
    return value;
  }

  symbol({ bits, symbols }: Code): number {
    const entry = symbols[this.#peek(bits)]!;
    if (entry === 0) throw new Error("bits that are no symbol");
    this.#pass(entry & 15);
    return entry >> 4;
  }

  /** What a symbol of lengths or distances stands for with the bits after it: each 2^group symbols have one bit more (§3.2.5). */
  extended(symbol: number, group: number): number {
    const extra = (symbol >> group) - 1;
    const first = 1 << group;
    return extra <= 0 ? symbol : ((first | (symbol & (first - 1))) << extra) + this.take(extra);
  }

  /** The bytes of a stored block (§3.2.4). */
  stored(): Uint8Array {
    this.#pass(this.#count & 7);
    const size = this.take(16);
    if (size !== (this.take(16) ^ 0xffff)) throw new Error("a stored block with two sizes");
    const begin = this.#at - (this.#count >> 3);
    this.#held = this.#count = 0;
    this.#at = begin + size;
    if (this.#at > this.bytes.length) throw new Error(ENDS_EARLY);
    return this.bytes.subarray(begin, this.#at);
  }

  /** The codes of a block that has its own: of literals and lengths, and of distances (§3.2.7). */
  codes(): readonly [Code, Code] {
    const [literals, distances, ordered] = [257 + this.take(5), 1 + this.take(5), 4 + this.take(4)];
    const own = new Uint8Array(ORDER.length);
    for (const place of ORDER.slice(0, ordered)) own[place] = this.take(3);
    const code = codeOf(own);
    const lengths: number[] = [];
    while (lengths.length < literals + distances) {
      const symbol = this.symbol(code);
      if (symbol === 16 && lengths.length === 0) throw new Error("no length to repeat");
      const value = symbol < 16 ? symbol : symbol === 16 ? lengths.at(-1)! : 0;
      const times = symbol < 16 ? 1 : symbol < 18 ? 3 + this.take(symbol - 14) : 11 + this.take(7);
      for (let i = 0; i < times; i++) lengths.push(value);
    }
    return [codeOf(lengths.slice(0, literals)), codeOf(lengths.slice(literals, literals + distances))];
  }
}

/**
 * Inflates all blocks to the beginning of `out`: how many bytes they give, or undefined where that is more than `out` holds. What stands
 * behind the last block is not read.
 * @throws Error that says what is not deflate.
 */
export function inflate(deflated: Uint8Array, out: Uint8Array): number | undefined {
  const input = new Bits(deflated);
  let length = 0;
  for (let isLast = 0; isLast === 0; ) {
    isLast = input.take(1);
    const kind = input.take(2);
    if (kind === 3) throw new Error("a block of no kind");
    if (kind === 0) {
      const bytes = input.stored();
      if (length + bytes.length > out.length) return undefined;
      out.set(bytes, length);
      length += bytes.length;
      continue;
    }
    const [literals, distances] = kind === 1 ? (fixed ??= fixedCodes()) : input.codes();
    for (let symbol = input.symbol(literals); symbol !== END_OF_BLOCK; symbol = input.symbol(literals)) {
      if (length === out.length) return undefined;
      if (symbol < END_OF_BLOCK) {
        out[length++] = symbol;
        continue;
      }
      if (symbol > 285) throw new Error("a symbol of no length");
      const end = length + (symbol === 285 ? LONGEST_MATCH : 3 + input.extended(symbol - 257, 2));
      const place = input.symbol(distances);
      if (place > 29) throw new Error("a symbol of no distance");
      const distance = 1 + input.extended(place, 1);
      if (distance > length) throw new Error("a distance beyond the first byte");
      if (end > out.length) return undefined;
      for (; length < end; length++) out[length] = out[length - distance]!;
    }
  }
  return length;
}
