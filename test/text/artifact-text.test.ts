// Texts of artifacts: what is parsed later is what JSON.parse gives of the whole, whatever strings stand before it.

import { expect, test } from "vitest";
import { FormatError } from "../../src/errors";
import { assetsOf } from "../../src/text/artifact-text";

const awkward = ['"', "\\", '\\"', "}{][", '"tokenizer":{', "\\\\", "é\u{1f600}\n"];

test.each([
  {},
  { facts: { task: "next-token" } },
  { tokenizer: {} },
  { tokenizer: { model: { vocab: { a: 0, "}": 1, '"': 2 }, merges: [["a", "\\"], []] } }, facts: 1 },
  { tokenizerConfig: { tokenizer: { a: 1 } }, tokenizer: { b: awkward } },
  { chatTemplate: awkward.join(""), list: [{ tokenizer: {} }, awkward], tokenizer: { awkward, "\\": "\\" } },
  { tokenizer: null, facts: awkward },
])("%j", (value) => {
  const assets = assetsOf(JSON.stringify(value), "text");
  expect(assets).toEqual(value);
  expect({ ...assets }).toEqual(value);
  expect("tokenizer" in assets).toBe("tokenizer" in value);
});

test("a tokenizer is made anew each time it is read", () => {
  const assets = assetsOf('{"tokenizer":{"a":1}}', "text");
  expect(assets.tokenizer).not.toBe(assets.tokenizer);
});

test("what is no JSON object is told, of a tokenizer when it is read", () => {
  for (const text of [
    "",
    "[]",
    "null",
    "{",
    '{"a":"',
    '{"tokenizer":{',
    '{"tokenizer":{}',
    "}{",
    '{"tokenizer":{}}}',
  ])
    expect(() => assetsOf(text, "x"), text).toThrow(FormatError);
  const assets = assetsOf('{"tokenizer":{a}}', "x");
  expect(() => assets.tokenizer).toThrow("x: its text is not a JSON object");
});
