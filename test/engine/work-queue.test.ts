// Parts of a step: whoever takes them, in whatever turns, each element of the range is in one of them, once.

import { expect, test } from "vitest";
import {
  argsOf,
  CLAIM,
  lastOf,
  newWorkQueue,
  opened,
  partsFor,
  takeFirst,
  takeLast,
  writeRow,
} from "../../src/engine/work-queue";

/** Work of so many parts. */
const ofParts = (parts: number) => parts * 2 ** 17;

test("few elements or little work is not shared, and much is shared in no more parts than a byte counts", () => {
  expect(partsFor(1, ofParts(100), 2)).toBe(1);
  expect(partsFor(100, ofParts(1.9), 2)).toBe(1);
  expect(partsFor(100, ofParts(2), 2)).toBe(2);
  expect(partsFor(1e6, ofParts(1e6), 32)).toBeLessThan(256);
});

test.each([2, 3, 4])("parts taken by turns of %i threads are the whole range", (threads) => {
  const queue = newWorkQueue([{ kernel: "", arity: 1, scratch: -1 }], threads);
  const { words, program, rows } = queue;
  for (const count of [2, 3, 7, 24, 31, 63, 64, 65, 128, 191, 1000, 98_304])
    for (const work of [2, 5, 33, 1000]) {
      const parts = partsFor(count, ofParts(work), threads);
      writeRow(program, rows[0]!, parts, count, [9]);
      const argsFor = argsOf(program, rows[0]!, 0);
      Atomics.store(words, CLAIM, opened(0, parts));
      const taken: (readonly number[])[] = [];
      for (let turn = 0, first = 0; first < lastOf(Atomics.load(words, CLAIM)); turn++) {
        if (turn % threads === 0) {
          const share = takeFirst(queue);
          taken.push(argsFor(first, (first += share)).slice());
        } else {
          const word = Atomics.load(words, CLAIM);
          const last = lastOf(word);
          taken.push(argsFor(last - takeLast(queue, word), last).slice());
        }
      }
      expect(takeFirst(queue)).toBe(0);
      let end = 0;
      for (const [arg, from, to] of taken.sort((a, b) => a[1]! - b[1]!)) {
        expect([arg, from]).toEqual([9, end]);
        expect(to).toBeGreaterThan(end);
        end = to!;
      }
      expect(end).toBe(count);
    }
});

test("what takes under a claim that has changed takes nothing", () => {
  const queue = newWorkQueue([], 2);
  const claim = opened(3, 8);
  Atomics.store(queue.words, CLAIM, claim);
  expect(takeFirst(queue)).toBe(2);
  expect(takeLast(queue, claim)).toBe(-1);
  expect(takeLast(queue, Atomics.load(queue.words, CLAIM))).toBe(2);
});
