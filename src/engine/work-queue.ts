// What threads tell each other through shared memory. A step that is wide enough is cut into parts along its outermost
// output dimension; whoever is free takes the next ones, fewer as fewer are left. So nobody waits for a thread that sleeps, is
// busy elsewhere or has died, but only for parts that are being computed.
//
//   words    | CLAIM | SLEEPERS | DONE TRAPPED | UP |     each group on a cache line of its own
//   program  | scratch of the first worker, and of each | edition | parts | count | args… |   a row a step, one behind the other, as f64
//
// CLAIM says which parts of which step are left: | step | last, 8 bits | first, 8 bits |, parts [first, last). The host
// takes first ones, workers take last ones, each by one compare-and-exchange: so a thread keeps to its end of the
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
/** Rows or panels that most kernels compute together. */
const TILE = 4;
/** Least work of a part, in multiply-adds: some 4 µs, where handing it over costs some 0.2 µs. */
const PART = 1 << 17;
/** Parts of a step at most, for each thread. */
const PARTS_A_THREAD = 16;
/** Parts are counted in a byte. */
const MAX_PARTS = 255;
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
  /** All of them, the host included. */
  readonly threads: number;
  /** Which of the workers it is, from 0. */
  readonly index: number;
}

export type WorkQueue = Omit<Orders, "modules" | "imports" | "index">;

/** A work queue over these steps. */
export function newWorkQueue(steps: readonly Omit<QueueRow, "at">[], threads: number): WorkQueue {
  let end = ROWS;
  const rows = steps.map((step) => {
    const at = end;
    end += ARGS + step.arity;
    return { ...step, at };
  });
  const words = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  return { rows, words, threads, program: new Float64Array(new SharedArrayBuffer(end * 8)) };
}

/** Rewrites the row of a step: its arguments begin with those of the row, without a range. */
export function writeRow(
  program: Float64Array,
  { at, arity }: QueueRow,
  parts: number,
  count: number,
  args: readonly number[],
): void {
  program[at]!++;
  program[at + PARTS] = parts;
  program[at + PARTS + 1] = count;
  for (let i = 0; i < arity; i++) program[at + ARGS + i] = args[i]!;
}

/** A step's arguments for the parts [first, last); the next call overwrites them. */
export type ArgsOf = (first: number, last: number) => readonly number[];

/** How a thread calls a step, with scratch memory of its own where that is needed. */
export function argsOf(program: Float64Array, { at, arity, scratch }: QueueRow, own: number): ArgsOf {
  const [parts = 0, count = 0] = [program[at + PARTS], program[at + PARTS + 1]];
  const args = Array.from({ length: arity }, (_, i) => program[at + ARGS + i]!);
  if (scratch >= 0 && own > 0) args[scratch] = own;
  const unit = count >= TILE * parts ? TILE : 1;
  const bound = (part: number) => (part === parts ? count : Math.floor((count * part) / parts / unit) * unit);
  return (first, last) => {
    args[arity] = bound(first);
    args[arity + 1] = bound(last);
    return args;
  };
}

/** How many parts a step is cut into; fewer than 2: it is not shared. */
export function partsFor(count: number, work: number, threads: number): number {
  const most = Math.min(
    threads * PARTS_A_THREAD,
    MAX_PARTS,
    count >= 8 * TILE * threads ? count / TILE : count,
  );
  return Math.floor(Math.min(work / PART, most));
}

/** The claim under which all parts of a step are free. */
export const opened = (step: number, parts: number): number => (step << 16) | (parts << 8);

export const stepOfWord = (word: number): number => word >>> 16;
export const firstOf = (word: number): number => word & 255;
export const lastOf = (word: number): number => (word >> 8) & 255;

/** Parts that a thread takes at once. Few at the end, so that all threads end at about the same time. */
const shareOf = (word: number, threads: number): number =>
  Math.ceil((lastOf(word) - firstOf(word)) / (2 * threads));

/** Takes the first parts that are left, for the host, and returns how many. */
export function takeFirst({ words, threads }: WorkQueue): number {
  for (;;) {
    const word = Atomics.load(words, CLAIM);
    const share = shareOf(word, threads);
    if (share === 0 || Atomics.compareExchange(words, CLAIM, word, word + FIRST * share) === word)
      return share;
  }
}

/** Takes the last parts under a claim just read, for a worker, and returns how many; −1 when the claim has changed. */
export function takeLast({ words, threads }: WorkQueue, word: number): number {
  const share = shareOf(word, threads);
  return Atomics.compareExchange(words, CLAIM, word, word - LAST * share) === word ? share : -1;
}
