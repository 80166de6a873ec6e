// Texts of artifacts: vocabulary and merges as tensors, read back to what encodes and decodes the same; and files that are damaged.

import { expect, test } from "vitest";
import { FormatError } from "../../src/errors";
import type { TextAssets } from "../../src/formats/language-source";
import { type Constant, tensor } from "../../src/graph/tensor";
import { openText } from "../../src/text/artifact-text";
import { storedText } from "../../src/text/stored-text";
import { createTokenizer } from "../../src/text/tokenizer";
import { MAX_VOCABULARY } from "../../src/text/tokenizer/json";
import { storedTexts } from "../../src/text/tokenizer/token-texts";
import { madeTokenizer, madeTokenizers, texts } from "./made";

/** What a reader has once all tensors came. */
function readText(header: string, tensors: ReadonlyMap<string, Constant>) {
  const text = openText(header, tensors, "file");
  for (const [name, { data }] of tensors) text.stored?.tensors.set(name, data as Uint8Array);
  return text;
}

function throughArtifact(assets: TextAssets) {
  const { text, texts } = storedText(assets);
  return readText(text, texts);
}

const awkward = ['"', "\\", '\\"', "}{][", '["', "\\\\", "é\u{1f600}\n", "\ud800", "__proto__", "7", "null"];

test.each(madeTokenizers)("$name: encodes and decodes the same, and control tokens too", async (made) => {
  const { assets, stored } = throughArtifact({ tokenizer: made.tokenizer, chatTemplate: '"x\\' });
  expect(assets.chatTemplate).toBe('"x\\');
  const [whole, read] = [await createTokenizer({ tokenizer: made.tokenizer }), await createTokenizer(assets)];
  expect(read.vocabulary).toBe(whole.vocabulary);
  for (const text of texts) {
    const ids = whole.encode(text, { parseSpecialTokens: true });
    expect(read.encode(text, { parseSpecialTokens: true })).toEqual(ids);
    expect(read.decode(ids, { skipSpecial: false })).toBe(whole.decode(ids, { skipSpecial: false }));
  }
  const short = storedTexts(stored!)!;
  expect(short.count).toBe(whole.vocabulary);
  expect(short.absent(whole.vocabulary + 3)).toEqual(whole.texts.absent(whole.vocabulary + 3));
  const streams = [whole.texts, short].map((one) => one.stream(true, true));
  for (let id = 0; id < whole.vocabulary; id++)
    if (!short.absent(id + 1).includes(id)) expect(streams[1]!.push(id)).toBe(streams[0]!.push(id));
});

const model = { type: "BPE", merges: [], vocab: Object.fromEntries(awkward.map((text, i) => [text, 2 * i])) };
const added_tokens = [
  { id: 2, content: "<end>", special: true },
  { id: 31, content: "Ġplain", special: false },
];

test("awkward tokens, ids without one, and added tokens in place of others and after all", async () => {
  const { assets, stored } = throughArtifact({ tokenizer: { model, added_tokens } });
  const [whole, read] = [
    await createTokenizer({ tokenizer: { model, added_tokens } }),
    await createTokenizer(assets),
  ];
  const short = storedTexts(stored!)!;
  for (const one of [read.texts, short]) {
    expect(one.absent(40)).toEqual(whole.texts.absent(40));
    expect(one.absent(6)).toEqual([1, 3, 5]);
    for (const id of [0, 4, 2, 31, 20]) expect(one.tokenOf(id)).toBe(whole.tokenOf(id));
    expect(one.tokenOf(2)).toBe("<end>");
    expect(() => one.tokenOf(1)).toThrow("tokenizer: no token has this id");
    expect(() => one.tokenOf(40)).toThrow("expected an id of the vocabulary, 0 to 31");
  }
});

test("a list has a line for each element, an empty one for an id without a token", () => {
  const model = { type: "BPE", vocab: { b: 1, "\n": 3 }, merges: ["a b", ["a", "b"]] };
  const { text, texts } = storedText({ tokenizer: { model } });
  expect(JSON.parse(text)).toEqual({
    tokenizer: { model: { type: "BPE", vocab: "tokenizer.model.vocab", merges: "tokenizer.model.merges" } },
  });
  for (const [part, lines] of [
    ["vocab", '\n"b"\n\n"\\n"\n'],
    ["merges", '"a b"\n["a","b"]\n'],
  ]) {
    const { dtype, shape, data } = texts.get(`tokenizer.model.${part}`)!;
    expect([dtype, shape]).toEqual(["u8", [2, 64]]);
    expect(new TextDecoder().decode(data as Uint8Array)).toBe(lines!.padEnd(128, "\0"));
  }
});

test.each([
  ["two texts of one id", { type: "BPE", vocab: { a: 0, b: 0 } }],
  ["an id that is none", { type: "BPE", vocab: { a: -1 } }],
  ["an id beyond the largest vocabulary", { type: "BPE", vocab: { a: 2 ** 20 } }],
  ["a file that does not say which model it is of", { vocab: { a: 0 } }],
  ["no vocabulary", { type: "BPE", merges: null }],
])("%s: the model stands in the header as it is", (_, model) => {
  const { assets, stored } = throughArtifact({ tokenizer: { model } });
  expect(assets.tokenizer).toEqual({ model });
  expect(stored).toBeUndefined();
});

test("merges alone may be a tensor: texts of tokens are left to the tokenizer", () => {
  const model = { vocab: { a: 0 }, merges: ["a a"] };
  const { assets, stored } = throughArtifact({ tokenizer: { model } });
  expect(assets.tokenizer).toEqual({ model });
  expect(storedTexts(stored!)).toBeUndefined();
});

test("without a tokenizer, or with a model that is none, nothing is a tensor", () => {
  for (const assets of [
    {},
    { chatTemplate: "x" },
    { tokenizer: {} },
    { tokenizer: { model: 1 } },
  ] as TextAssets[]) {
    const { text, texts } = storedText(assets);
    expect(texts.size).toBe(0);
    expect(openText(text, texts, "file").assets).toEqual(assets);
    expect("tokenizer" in openText(text, texts, "file").assets).toBe("tokenizer" in assets);
  }
});

test("a header that has the whole tokenizer is read too", async () => {
  const tokenizer = madeTokenizer(madeTokenizers[0]!.name);
  const text = openText(JSON.stringify({ tokenizer }), new Map(), "file");
  expect(text.stored).toBeUndefined();
  expect(text.assets).toEqual({ tokenizer });
});

test("refuses a header that is not a JSON object", () => {
  for (const text of ["", "[]", "null", "{", '{"a":"', "}{", '{"tokenizer":{}}}'])
    expect(() => openText(text, new Map(), "x"), text).toThrow(FormatError);
});

const named = (vocab: string) => JSON.stringify({ tokenizer: { model: { type: "BPE", vocab } } });

test.each<[string, Constant | undefined]>([
  ["no tensor", undefined],
  ["i8 [2,64]", { dtype: "i8", shape: [2, 64] }],
  ["u8 [128]", { dtype: "u8", shape: [128] }],
  ["u8 [1,64]", { dtype: "u8", shape: [1, 64] }],
])("a name of no text: %s", (got, constant) => {
  const tensors = new Map(constant ? [["v", constant]] : []);
  expect(() => openText(named("v"), tensors, "file")).toThrow(
    `file, tensor "v": its text names a tensor that is none: expected u8 in rows, got ${got}`,
  );
});

/** What is read of a vocabulary of these bytes, with padding after them. */
function vocabularyOf(bytes: Uint8Array) {
  const data = [...bytes, ...Array<number>(128 - bytes.length).fill(0)];
  return readText(named("v"), new Map([["v", tensor("u8", [2, 64], data)]]));
}

test.each([
  ['"a"\n"\\x"\n', "its text is damaged ("],
  ['"a"\n"\t"\n', "its text is damaged ("],
  ['"a"\n"\n', "its text is damaged ("],
  ['"a"\n"b" "c"\n', "its text is damaged ("],
  ['"a"\n"b","c"\n', "its text is damaged ("],
  ['"a"\n\0\n', "its text is damaged ("],
  ['"a"\nnull\n', "malformed tokenizer: expected a text, got null"],
  ['"a"\n[]\n', "malformed tokenizer: expected a text, got undefined"],
  ['"a"\n{"0":"b"}\n', "malformed tokenizer: expected a text, got an object"],
  ['"a"\n"\xff"\n', "its text is damaged ("],
])("a line that is no token: %j", async (lines, message) => {
  const { assets, stored } = vocabularyOf(Uint8Array.from(lines, (char) => char.charCodeAt(0)));
  const texts = storedTexts(stored!)!;
  expect(texts.tokenOf(0)).toBe("a");
  expect(() => texts.tokenOf(1)).toThrow(FormatError);
  expect(() => texts.tokenOf(1)).toThrow(`tokenizer.json.model.vocab[1]: ${message}`);
  await expect(createTokenizer(assets)).rejects.toThrow(FormatError);
});

test("reads no token after the last line", async () => {
  const { assets, stored } = vocabularyOf(new TextEncoder().encode('"a"\n"b'));
  for (const { texts } of [await createTokenizer(assets), { texts: storedTexts(stored!)! }]) {
    expect(texts.count).toBe(1);
    expect(() => texts.tokenOf(1)).toThrow("no token has this id");
  }
});

test("more lines than the largest vocabulary", () => {
  const lines = new Uint8Array(MAX_VOCABULARY + 128).fill(0x0a);
  const { stored } = readText(named("v"), new Map([["v", tensor("u8", [lines.length / 64, 64], lines)]]));
  expect(() => storedTexts(stored!)).toThrow(`below MAX_VOCABULARY = ${MAX_VOCABULARY}`);
});
