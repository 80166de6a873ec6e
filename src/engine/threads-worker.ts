// A worker of a crew, in a thread of its own: takes parts of steps for as long as its model lives. It spins while work
// is likely to come, between steps that follow each other, and sleeps between runs.

import {
  CLAIM,
  DONE,
  EDITION,
  firstOf,
  lastOf,
  type Orders,
  openBoard,
  partsOf,
  SLEEPERS,
  stepOf,
  TRAPPED,
  takeLast,
  UP,
} from "./threads-board";

/** Looks before it sleeps: some 100 µs, longer than steps of one part take and short for a battery. */
const SPINS = 20_000;

function work({ modules, imports, board: buffer, rows, scratch }: Orders): never {
  const exports = modules.map((module) => new WebAssembly.Instance(module, imports).exports);
  const kernels: Record<string, (...args: number[]) => void> = Object.assign({}, ...exports);
  const board = openBoard(buffer, rows);
  const { words } = board;
  let edition = -1;
  let known: number[][][] = [];
  const compute = (step: number, part: number) => {
    const current = Atomics.load(words, EDITION);
    if (current !== edition) known = [];
    edition = current;
    known[step] ??= partsOf(board, step, rows[step]!, scratch);
    try {
      kernels[rows[step]!.kernel]!(...known[step]![part]!);
    } catch {
      Atomics.store(words, TRAPPED, 1);
    }
    Atomics.add(words, DONE, 1);
  };
  Atomics.add(words, UP, 1);
  for (let spins = 0; ; spins++) {
    const word = Atomics.load(words, CLAIM);
    if (firstOf(word) < lastOf(word)) {
      const part = takeLast(words, word);
      if (part >= 0) compute(stepOf(word), part);
      spins = 0;
    } else if (spins > SPINS) {
      Atomics.add(words, SLEEPERS, 1);
      Atomics.wait(words, CLAIM, word);
      Atomics.sub(words, SLEEPERS, 1);
      spins = 0;
    }
  }
}

if (typeof process !== "undefined" && process.versions?.node) {
  const { workerData } = await import("node:worker_threads");
  work(workerData as Orders);
} else globalThis.onmessage = ({ data }: MessageEvent<Orders>) => work(data);
