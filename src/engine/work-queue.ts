// What threads tell each other through shared memory. A step that is wide enough is cut into parts along its outermost
// output dimension; whoever is free takes the next one. So nobody waits for a thread that sleeps, is busy elsewhere or
// has died, but only for a part that is being computed.
//
//   words    | CLAIM | SLEEPERS | DONE TRAPPED | UP |     each group on a cache line of its own
//   program  | scratch of the first worker, and of each | edition | parts | count | args… |   a row a step, one behind the other, as f64
//
// CLAIM says which parts of which step are left: | step | last, 8 bits | first, 8 bits |, parts [first, last). The host
// takes the first, workers take the last, each by one compare-and-exchange: so a thread keeps to its end of the
// values from step to step, where its core has them in cache. A word whose first is its last is closed.

import type { Imports } from "./wasm";

export const CLAIM = 0;
/** Workers that must be woken. */
export const SLEEPERS = 16;
/** Parts of the open step that workers have done. */
export const DONE = 32;
/** Not 0: a worker's part of the open step trapped. */
export const TRAPPED = 33;
/** Workers that take parts. */
export const UP = 48;

const WORDS = 64;
const FIRST = 1;
const LAST = 1 << 8;
/** Where the rows of the program begin. */
export const ROWS = 2;
/** Where the number of parts, the count and the arguments begin in a row of the program, behind how often it was rewritten. */
const PARTS = 1;
const ARGS = 3;

/** What both sides know about a step. */
export interface QueueRow {
  readonly kernel: string;
  /** Where its row of the program begins. */
  readonly at: number;
  /** How many arguments it has, without the range. */
  readonly arity: number;
  /** Which of them is scratch memory; −1: none. */
  readonly scratch: number;
}

/** What a worker starts with. */
export interface Orders {
  readonly modules: readonly WebAssembly.Module[];
  readonly imports: Imports;
  readonly words: Int32Array;
  readonly program: Float64Array;
  readonly rows: readonly QueueRow[];
  /** Which of the workers it is, from 0. */
  readonly index: number;
}

export type WorkQueue = Pick<Orders, "rows" | "words" | "program">;

/** A work queue over these steps. */
export function newWorkQueue(steps: readonly Omit<QueueRow, "at">[]): WorkQueue {
  let end = ROWS;
  const rows = steps.map((step) => {
    const at = end;
    end += ARGS + step.arity;
    return { ...step, at };
  });
  const words = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  return { rows, words, program: new Float64Array(new SharedArrayBuffer(end * 8)) };
}

/** Rewrites the row of a step. */
export function writeRow(
  program: Float64Array,
  { at }: QueueRow,
  parts: number,
  count: number,
  args: readonly number[],
): void {
  program[at]!++;
  program[at + PARTS] = parts;
  program[at + PARTS + 1] = count;
  program.set(args, at + ARGS);
}

/** Arguments of each part of a step, with a thread's own scratch memory where that is needed. */
export function partsOf(program: Float64Array, { at, arity, scratch }: QueueRow, own: number): number[][] {
  const [parts = 0, count = 0, ...args] = program.subarray(at + PARTS, at + ARGS + arity);
  if (scratch >= 0 && own > 0) args[scratch] = own;
  // Tiles are rows or panels by four and more.
  const unit = count >= 8 * parts ? 4 : 1;
  const bound = (part: number) => (part === parts ? count : Math.floor((count * part) / parts / unit) * unit);
  return Array.from({ length: parts }, (_, part) => [...args, bound(part), bound(part + 1)]);
}

/** The claim under which all parts of a step are free. */
export const opened = (step: number, parts: number): number => (step << 16) | (parts << 8);

export const stepOfWord = (word: number): number => word >>> 16;
export const firstOf = (word: number): number => word & 255;
export const lastOf = (word: number): number => (word >> 8) & 255;

/** Takes the first part that is left for the host; −1 when none is. */
export function takeFirst(words: Int32Array): number {
  for (;;) {
    const word = Atomics.load(words, CLAIM);
    const part = firstOf(word);
    if (part >= lastOf(word)) return -1;
    if (Atomics.compareExchange(words, CLAIM, word, word + FIRST) === word) return part;
  }
}

/** Takes the last part under a claim just read, for a worker; false when the claim has changed. */
export const takeLast = (words: Int32Array, word: number): boolean =>
  Atomics.compareExchange(words, CLAIM, word, word - LAST) === word;
