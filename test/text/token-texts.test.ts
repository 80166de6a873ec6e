// Texts of tokens without a tokenizer: those of the whole tokenizer, or none where it takes that to read them.

import { expect, test } from "vitest";
import { createTokenizer } from "../../src/text/tokenizer";
import { tokenTextsOf } from "../../src/text/tokenizer/token-texts";
import { madeTokenizers } from "./made";

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const json = {
  added_tokens: [
    { id: 2, content: "<end>", special: true },
    { id: 7, content: "Ġplain", special: false },
  ],
  decoder: { type: "ByteLevel" },
  model: { type: "BPE", merges: ["Ġ a"], vocab: { Ġ: 0, a: 1, "<end>": 2, Ġa: 3, '"\\': 4, Ã: 5 } },
};

test("the same text, control tokens and absent ids as a tokenizer's", async () => {
  const whole = await createTokenizer({ tokenizer: json });
  const texts = tokenTextsOf(bytesOf(json))!;
  const streams = [whole, texts].map((one) => one.stream({ isContinued: true }));
  for (const id of [1, 3, 2, 4, 7, 5, 1]) expect(streams[1]!.push(id)).toBe(streams[0]!.push(id));
  expect(streams[1]!.end()).toBe(streams[0]!.end());
  expect(texts.absent(10)).toEqual(whole.absent(10));
});

test.each(madeTokenizers)("$name: the same texts, or left to the tokenizer", async ({ tokenizer }) => {
  const texts = tokenTextsOf(bytesOf(tokenizer));
  const { vocab } = tokenizer.model as { vocab: unknown };
  expect(texts === undefined).toBe(Array.isArray(vocab));
  if (!texts) return;
  const whole = await createTokenizer({ tokenizer });
  const absent = whole.absent(whole.vocabulary);
  expect(texts.absent(whole.vocabulary)).toEqual(absent);
  const streams = [whole, texts].map((one) => one.stream({ isContinued: true }));
  for (let id = 0; id < whole.vocabulary; id++)
    if (!absent.includes(id)) expect(streams[1]!.push(id)).toBe(streams[0]!.push(id));
});

test.each([
  { a: -1 },
  { a: 1.5 },
  { a: 0, b: 0 },
  { a: 2 ** 20 },
  { a: "1" },
  {},
  [["a", 0]],
])("a vocabulary of %j is left to the tokenizer", (vocab) => {
  expect(tokenTextsOf(bytesOf({ ...json, model: { ...json.model, vocab } }))).toBeUndefined();
});
