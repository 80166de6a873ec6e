import { beforeEach, expect, test } from "vitest";
import { alloc, fillFloats, loadCommon, random, reset } from "../harness";

const { frames } = loadCommon();
beforeEach(reset);

test.each([
  [1, 1, 1, 1],
  [3, 17, 4, 5],
  [2, 12, 3, 12],
  [4, 9, 1, 3],
])("%i signals of %i, frames each %i of %i", (signals, length, step, size) => {
  const count = Math.floor((length - size) / step) + 1;
  const x = fillFloats(alloc(Float32Array, signals * length), random(3), -1, 1);
  const y = alloc(Float32Array, signals * count * size);
  const rows = signals * count;
  const cut = Math.floor(rows / 2);
  frames(y.byteOffset, x.byteOffset, length, step, size, count, cut, rows);
  frames(y.byteOffset, x.byteOffset, length, step, size, count, 0, cut);
  const expected = Array.from({ length: rows }, (_, r) => {
    const from = Math.floor(r / count) * length + (r % count) * step;
    return [...x.slice(from, from + size)];
  });
  expect([...y]).toEqual(expected.flat());
});
