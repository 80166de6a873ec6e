// A worker of a pool, in a thread of its own: takes parts of steps for as long as its model lives. It spins while work
// is likely to come, between steps that follow each other, and sleeps between runs.

import { nodeModule } from "../node-module";
import {
  type ArgsOf,
  argsOf,
  CLAIM,
  DONE,
  firstOf,
  lastOf,
  type Orders,
  SLEEPERS,
  stepOfWord,
  TRAPPED,
  takeLast,
  UP,
} from "./work-queue";

/** Looks before it sleeps: some 100 µs, longer than steps of one part take and short for a battery. */
const SPINS = 20_000;

function work(orders: Orders): never {
  const { modules, imports, words, program, rows, index } = orders;
  const exports = modules.map((module) => new WebAssembly.Instance(module, imports).exports);
  const kernels: Record<string, (...args: number[]) => void> = Object.assign({}, ...exports);
  const editions = new Float64Array(rows.length);
  const known: ArgsOf[] = [];
  const compute = (step: number, first: number, last: number) => {
    const row = rows[step]!;
    if (editions[step] !== program[row.at])
      known[step] = argsOf(program, row, program[0]! + index * program[1]!);
    editions[step] = program[row.at]!;
    try {
      kernels[row.kernel]!(...known[step]!(first, last));
    } catch {
      Atomics.store(words, TRAPPED, 1);
    }
    Atomics.add(words, DONE, last - first);
  };
  Atomics.add(words, UP, 1);
  for (let spins = 0; ; spins++) {
    const word = Atomics.load(words, CLAIM);
    const last = lastOf(word);
    if (firstOf(word) < last) {
      const taken = takeLast(orders, word);
      if (taken > 0) compute(stepOfWord(word), last - taken, last);
      spins = 0;
    } else if (spins > SPINS) {
      Atomics.add(words, SLEEPERS, 1);
      Atomics.wait(words, CLAIM, word);
      Atomics.sub(words, SLEEPERS, 1);
      spins = 0;
    }
  }
}

const orders: Orders | undefined = nodeModule("node:worker_threads")?.workerData;
if (orders) work(orders);
else globalThis.onmessage = ({ data }: MessageEvent<Orders>) => work(data);
