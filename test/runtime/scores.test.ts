// Probabilities and the best classes.

import { expect, test } from "vitest";
import { softmax, tensor, topK } from "../../src/index";

test("softmax of each row is within an f32 rounding of its formula, and sums to 1", () => {
  const values = [3, -1, 0.5, 700, 701, -Infinity, 0, 0, 0];
  const { shape, data } = softmax(tensor("f32", [3, 3], values));
  expect(shape).toEqual([3, 3]);
  for (let row = 0; row < 3; row++) {
    const scores = values.slice(row * 3, row * 3 + 3);
    const most = Math.max(...scores);
    const sum = scores.reduce((all, score) => all + Math.exp(score - most), 0);
    for (const [c, score] of scores.entries())
      expect(data[row * 3 + c]).toBeCloseTo(Math.exp(score - most) / sum, 7);
  }
});

test("topK names the largest scores of each row, the first of equals first and NaN last", () => {
  const scores = tensor("f32", [2, 4], [1, 5, 5, 2, NaN, -Infinity, 3, 3]);
  const names = ["walk", "run", "rest", "fall"];
  expect(topK(scores, 2, names).map((row) => row.map(({ name }) => name))).toEqual([
    ["run", "rest"],
    ["rest", "fall"],
  ]);
  expect(topK(scores, 9)[1]!.map(({ index }) => index)).toEqual([2, 3, 1, 0]);
  expect(topK(tensor("u8", [1, 3], [4, 250, 9]), 1)).toEqual([[{ index: 1, name: "1", score: 250 }]]);
});

test("names that do not fit, a k that counts nothing and no scores are refused", () => {
  const scores = tensor("f32", [1, 3], [1, 2, 3]);
  expect(() => topK(scores, 1, ["a", "b"])).toThrow(
    "topK: names do not fit the scores: expected 3 names, got 2",
  );
  expect(() => topK(scores, 0)).toThrow("invalid k: expected a whole number from 1, got 0");
  expect(() => topK(tensor("f32", [], [1]))).toThrow("has no scores");
  expect(() => softmax({ ...scores, shape: [2, 3] })).toThrow("has no scores");
  for (const other of [
    null,
    [1, 2],
    new Float32Array(2),
    { shape: 2, data: [1, 2] },
    { ...scores, data: [1] },
  ])
    for (const read of [softmax, topK])
      expect(() => read(other as never)).toThrow("has no scores: expected an output of a model");
  for (const wrong of [undefined, null, [1, 2, 3], Float32Array.of(1, 2), {}]) {
    expect(() => topK(wrong as never)).toThrow("topK: has no scores");
    expect(() => softmax(wrong as never)).toThrow("softmax: has no scores");
  }
});
