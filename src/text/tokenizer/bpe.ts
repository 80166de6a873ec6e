// Byte-pair encoding: of all neighbours in a piece of text, the pair that stands first in the list of merges becomes one token,
// until none stands there. Merges lie in a table of ids, not of texts: a vocabulary of 262 144 tokens has half a million of them.

import { type JsonObject, listAt, malformed, textAt } from "./json";
import type { Vocabulary } from "./vocabulary";

/** Pieces whose tokens are remembered. */
const MAX_REMEMBERED = 10_000;
/** Longest piece that is remembered, in UTF-16 units. */
const MAX_REMEMBERED_LENGTH = 256;
/** Places of a heap's key for a position: keys stay below 2^53. */
const POSITIONS = 2 ** 31;

/** Splits pieces of text into tokens. */
export interface TokenizerModel {
  /** Appends the ids of a piece's tokens. */
  encode(piece: string, ids: number[]): void;
}

/** Merges by their pair of ids: an open hash table. */
class MergeTable {
  readonly #mask: number;
  /** Left id, right id, rank, id of the result. */
  readonly #slots: Int32Array;

  constructor(count: number) {
    let size = 16;
    while (size < 2 * count) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Int32Array(4 * size).fill(-1);
  }

  /** Slot of a pair, or of the free place for it. */
  find(left: number, right: number): number {
    const slots = this.#slots;
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash ^= hash >>> 15;
    for (let i = hash & this.#mask; ; i = (i + 1) & this.#mask) {
      const slot = 4 * i;
      if (slots[slot] === -1 || (slots[slot] === left && slots[slot + 1] === right)) return slot;
    }
  }

  rank(slot: number): number {
    return this.#slots[slot + 2]!;
  }

  result(slot: number): number {
    return this.#slots[slot + 3]!;
  }

  /** Of a pair that is there already, the later rank holds, as in the reference implementation. */
  add(left: number, right: number, rank: number, result: number): void {
    const slot = this.find(left, right);
    this.#slots[slot] = left;
    this.#slots[slot + 1] = right;
    this.#slots[slot + 2] = rank;
    this.#slots[slot + 3] = result;
  }
}

/** Least numbers first. */
class Heap {
  readonly #keys: number[] = [];

  push(key: number): void {
    const keys = this.#keys;
    let i = keys.length;
    for (; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[i] = keys[parent]!;
      i = parent;
    }
    keys[i] = key;
  }

  pop(): number | undefined {
    const keys = this.#keys;
    const least = keys[0];
    const last = keys.pop();
    if (keys.length === 0 || last === undefined) return least;
    let i = 0;
    for (let child = 1; child < keys.length; child = 2 * i + 1) {
      if (child + 1 < keys.length && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= last) break;
      keys[i] = keys[child]!;
      i = child;
    }
    keys[i] = last;
    return least;
  }
}

/** The model "BPE" of tokenizer.json. */
export class BytePairModel implements TokenizerModel {
  readonly #ids: ReadonlyMap<string, number>;
  readonly #merges: MergeTable;
  readonly #unknown: number | undefined;
  readonly #fusesUnknown: boolean;
  readonly #bytes: readonly number[] | undefined;
  readonly #ignoresMerges: boolean;
  readonly #prefix: string;
  readonly #suffix: string;
  readonly #remembered = new Map<string, readonly number[]>();

  /** Throws FormatError where a merge is not two tokens of the vocabulary that make one. */
  constructor(at: string, json: JsonObject, vocabulary: Vocabulary) {
    this.#ids = vocabulary.reachable;
    this.#unknown = vocabulary.unknown;
    this.#bytes = json.byte_fallback === true ? vocabulary.bytes : undefined;
    this.#fusesUnknown = json.fuse_unk === true;
    this.#ignoresMerges = json.ignore_merges === true;
    this.#prefix = textAt(`${at}.continuing_subword_prefix`, json.continuing_subword_prefix ?? "");
    this.#suffix = textAt(`${at}.end_of_word_suffix`, json.end_of_word_suffix ?? "");
    const merges = listAt(`${at}.merges`, json.merges ?? []);
    this.#merges = new MergeTable(merges.length);
    const place = `${at}.merges`;
    for (let rank = 0; rank < merges.length; rank++) this.#add(place, merges[rank], rank, vocabulary);
  }

  #add(at: string, merge: unknown, rank: number, vocabulary: Vocabulary): void {
    const [left, right] = this.#pair(at, merge);
    const whole = left + (this.#prefix === "" ? right : right.slice(this.#prefix.length));
    const first = this.#ids.get(left);
    const second = this.#ids.get(right);
    const result = this.#ids.get(whole);
    if (first !== undefined && second !== undefined && result !== undefined) {
      this.#merges.add(first, second, rank, result);
      return;
    }
    for (const text of [left, right, whole])
      if (vocabulary.idOf(text) === undefined)
        throw malformed(`${at}[${rank}]`, "tokens of the vocabulary", text);
  }

  #pair(at: string, merge: unknown): readonly [string, string] {
    if (typeof merge === "string") {
      const space = merge.indexOf(" ", 1);
      if (space > 0 && space < merge.length - 1) return [merge.slice(0, space), merge.slice(space + 1)];
    } else if (Array.isArray(merge) && merge.length === 2) {
      const [left, right] = merge;
      if (typeof left === "string" && typeof right === "string") return [left, right];
    }
    throw malformed(at, "two tokens", merge);
  }

  encode(piece: string, ids: number[]): void {
    if (piece === "") return;
    const whole = this.#ignoresMerges ? this.#ids.get(piece) : undefined;
    if (whole !== undefined) {
      ids.push(whole);
      return;
    }
    let found = this.#remembered.get(piece);
    if (found === undefined) {
      found = this.#merged(this.#symbols(piece));
      if (piece.length <= MAX_REMEMBERED_LENGTH) {
        if (this.#remembered.size === MAX_REMEMBERED) this.#remembered.clear();
        this.#remembered.set(piece, found);
      }
    }
    for (const id of found) ids.push(id);
  }

  /** Ids of a piece's characters; bytes or the unknown token for those that the vocabulary lacks. */
  #symbols(piece: string): number[] {
    const symbols: number[] = [];
    const { length } = piece;
    for (let at = 0; at < length; ) {
      const character = String.fromCodePoint(piece.codePointAt(at)!);
      const text = (at > 0 ? this.#prefix : "") + character;
      at += character.length;
      const id = this.#ids.get(at === length ? text + this.#suffix : text);
      if (id !== undefined) symbols.push(id);
      else if (this.#bytes)
        for (const byte of new TextEncoder().encode(character)) symbols.push(this.#bytes[byte]!);
      else if (this.#unknown !== undefined)
        if (!this.#fusesUnknown || symbols.at(-1) !== this.#unknown) symbols.push(this.#unknown);
    }
    return symbols;
  }

  #merged(symbols: number[]): readonly number[] {
    const count = symbols.length;
    const next = Int32Array.from({ length: count }, (_, i) => i + 1);
    const previous = Int32Array.from({ length: count }, (_, i) => i - 1);
    const heap = new Heap();
    const offer = (at: number) => {
      if (at < 0 || next[at]! >= count) return;
      const rank = this.#merges.rank(this.#merges.find(symbols[at]!, symbols[next[at]!]!));
      if (rank >= 0) heap.push(rank * POSITIONS + at);
    };
    for (let i = 0; i < count - 1; i++) offer(i);
    for (let key = heap.pop(); key !== undefined; key = heap.pop()) {
      const at = key % POSITIONS;
      const right = next[at]!;
      // Of symbols that were merged meanwhile, nothing is left of the pair.
      if (symbols[at] === -1 || right >= count) continue;
      const slot = this.#merges.find(symbols[at]!, symbols[right]!);
      if (this.#merges.rank(slot) !== Math.floor(key / POSITIONS)) continue;
      symbols[at] = this.#merges.result(slot);
      symbols[right] = -1;
      next[at] = next[right]!;
      if (next[at]! < count) previous[next[at]!] = at;
      offer(previous[at]!);
      offer(at);
    }
    return symbols.filter((id) => id !== -1);
  }
}
