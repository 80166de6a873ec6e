// Vocabularies of GGUF files: byte-level ones against the tokenizers they were taken from, SentencePiece's against SentencePiece itself
// (Python's sentencepiece 0.2, BPE with byte fallback, trained on verses of the King James Bible).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { OctetteError } from "../../../src/errors";
import { MAX_MERGE_WORK } from "../../../src/formats/gguf/merges";
import { openGguf } from "../../../src/formats/gguf/open";
import { preTokenizerOf } from "../../../src/formats/gguf/pre-tokenizers";
import { createTokenizer } from "../../../src/text/tokenizer";
import { createPreparation } from "../../../src/text/tokenizer/preparation";
import { madeTokenizers, texts } from "../../text/made";
import { type Value, writeGguf } from "./write-gguf";

const LEAST: Record<string, Value> = {
  "general.architecture": ["text", "llama"],
  "llama.context_length": ["u32", 16],
  "llama.embedding_length": ["u32", 8],
  "llama.block_count": ["u32", 1],
  "llama.attention.head_count": ["u32", 2],
  "llama.attention.layer_norm_rms_epsilon": ["f32", 1e-6],
};
const ROWS = 1000;
const embedding = { name: "token_embd.weight", shape: [ROWS, 8], type: 0, bytes: new Uint8Array(32 * ROWS) };

const textOf = async (keys: Record<string, Value>) => {
  const named = Object.entries(keys).map(([key, value]) => [`tokenizer.${key}`, value] as const);
  const source = await openGguf(
    writeGguf({ keys: { ...LEAST, ...Object.fromEntries(named) }, tensors: [embedding] }),
  );
  return source.text;
};
const texted = (items: readonly string[]): Value => ["list", "text", items];

interface JsonOfTokenizer {
  readonly added_tokens: readonly {
    readonly id: number;
    readonly content: string;
    readonly special: boolean;
  }[];
  readonly model: { readonly vocab: Record<string, number>; readonly merges: readonly (readonly string[])[] };
}

/** A byte-level tokenizer.json as GGUF's keys. */
function keysOf(json: JsonOfTokenizer, pre: string): Record<string, Value> {
  const { model, added_tokens: added } = json;
  const tokens: string[] = [];
  for (const [token, id] of Object.entries(model.vocab)) tokens[id] = token;
  for (const { id, content } of added) tokens[id] = content;
  const types = tokens.map(() => 1);
  for (const { id, special } of added) types[id] = special ? 3 : 4;
  return {
    "ggml.model": ["text", "gpt2"],
    "ggml.pre": ["text", pre],
    "ggml.tokens": texted(tokens),
    "ggml.token_type": ["list", "i32", types],
    "ggml.merges": texted(model.merges.map((pair) => pair.join(" "))),
    "ggml.bos_token_id": ["u32", added[0]!.id],
    "ggml.eos_token_id": ["u32", added[0]!.id],
    "ggml.add_bos_token": ["bool", true],
  };
}

describe.each([
  ["gpt-2", "gpt-2"],
  ["llama-3", "llama-bpe"],
  ["smollm", "smollm"],
])("byte-level: %s is %s", (made, pre) => {
  const { tokenizer, cases, empty } = madeTokenizers.find(({ name }) => name === made)!;

  test("the reference's ids and texts", async () => {
    const text = await textOf(keysOf(tokenizer as unknown as JsonOfTokenizer, pre));
    const own = await createTokenizer(text);
    expect([...own.encode("")]).toEqual(empty);
    texts.forEach((text, i) => {
      const { plain, parsed = plain, decoded = text } = cases[i]!;
      expect([...own.encode(text, { addSpecialTokens: false })], text).toEqual(plain);
      expect([...own.encode(text, { addSpecialTokens: false, parseSpecialTokens: true })]).toEqual(parsed);
      expect(own.decode(plain)).toBe(decoded);
    });
  });
});

test("pre-tokenizers split texts without losing any of them", async () => {
  const { tokenizer } = madeTokenizers.find(({ name }) => name === "gpt-2")!;
  for (const pre of ["default", "tekken", "gpt-4o", "qwen2", "dbrx", "starcoder"]) {
    const own = await createTokenizer(await textOf(keysOf(tokenizer as unknown as JsonOfTokenizer, pre)));
    for (const text of texts) expect(own.decode(own.encode(text))).toBe(text);
  }
  expect(() => preTokenizerOf("toString", "x")).toThrow(OctetteError);
});

// Pieces by Python's tokenizers 0.23.2, with the expressions of llama.cpp.
describe("pre-tokenizers split as the reference does", () => {
  const text = "Don't STOP: 12345 naïve_cafés, (a+b)=c`d`!\n\n  x漢字かな9 ~$7.50 /path[0]\\z\t end  é…，";
  test.each([
    [
      "falcon",
      [
        "Don",
        "'",
        "t",
        " STOP",
        ":",
        " ",
        "123",
        "45",
        " naïve",
        "_",
        "cafés",
        ",",
        " ",
        "(",
        "a",
        "+",
        "b",
        ")=",
        "c",
        "`",
        "d",
        "`!",
        "\n\n ",
        " x漢字かな",
        "9",
        " ",
        "~$",
        "7",
        ".",
        "50",
        " ",
        "/",
        "path",
        "[",
        "0",
        "]\\",
        "z",
        "\t",
        " end",
        " ",
        " é",
        "…，",
      ],
    ],
    [
      "bloom",
      [
        "Don't",
        " STOP:",
        " 12345",
        " naïve_cafés",
        ", (",
        "a+b",
        ")",
        "=c`d`",
        "!\n\n ",
        " x漢字かな9",
        " ~$7",
        ".",
        "50",
        " /path[0]\\z",
        "\t",
        " end",
        " ",
        " é",
        "…，",
      ],
    ],
    [
      "seed-coder",
      [
        "Don",
        "'t",
        " STOP",
        ":",
        " ",
        "1",
        "2",
        "3",
        "4",
        "5",
        " naïve",
        "_cafés",
        ",",
        " (",
        "a",
        "+b",
        ")=",
        "c",
        "`d",
        "`!",
        "\n\n",
        " ",
        " x漢字かな",
        "9",
        " ~$",
        "7",
        ".",
        "5",
        "0",
        " /",
        "path",
        "[",
        "0",
        "]\\",
        "z",
        "\t",
        " end",
        " ",
        " é",
        "…，",
      ],
    ],
    [
      "hunyuan-dense",
      [
        "Don",
        "'t",
        " STOP",
        ":",
        " ",
        "123",
        "45",
        " naïve",
        "_caf",
        "és",
        ",",
        " (",
        "a",
        "+b",
        ")=",
        "c",
        "`d",
        "`!\n\n",
        " ",
        " x",
        "漢字かな",
        "9",
        " ~$",
        "7",
        ".",
        "50",
        " /",
        "path",
        "[",
        "0",
        "]\\",
        "z",
        "\t",
        " end",
        " ",
        " é",
        "…，",
      ],
    ],
  ])("%s", (name, pieces) => {
    const { patterns } = preTokenizerOf(name, "x");
    const pretokenizers = patterns.map((pattern) => ({
      type: "Split",
      pattern: { Regex: pattern },
      behavior: "Isolated",
      invert: false,
    }));
    const json = { pre_tokenizer: { type: "Sequence", pretokenizers } };
    expect(createPreparation("x", json).split(text, true)).toEqual(pieces);
  });
});

describe("SentencePiece", () => {
  const spm: {
    readonly tokens: readonly string[];
    readonly scores: readonly number[];
    readonly types: readonly number[];
    readonly cases: readonly {
      readonly text: string;
      readonly ids: readonly number[];
      readonly decoded: string;
    }[];
  } = JSON.parse(readFileSync(join(import.meta.dirname, "sentencepiece.json"), "utf8"));
  const keys: Record<string, Value> = {
    "ggml.model": ["text", "llama"],
    "ggml.tokens": texted(spm.tokens),
    "ggml.scores": ["list", "f32", spm.scores],
    "ggml.token_type": ["list", "i32", spm.types],
    "ggml.bos_token_id": ["u32", 1],
    "ggml.eos_token_id": ["u32", 2],
    "ggml.unknown_token_id": ["u32", 0],
  };

  test("its ids and texts", async () => {
    const own = await createTokenizer(await textOf(keys));
    expect([...own.encode("")]).toEqual([1]);
    for (const { text, ids, decoded } of spm.cases) {
      // SentencePiece itself finds tokens that a user defined after it has put a space before the text, llama.cpp before.
      if (text.includes("<tool>")) continue;
      expect([...own.encode(text, { addSpecialTokens: false })], text).toEqual(ids);
      expect(own.decode(ids)).toBe(decoded);
    }
    const tool = own.encode("x<tool>y", { addSpecialTokens: false });
    expect([...tool]).toContain(spm.tokens.indexOf("<tool>"));
  });

  test("without a space before texts", async () => {
    const own = await createTokenizer(await textOf({ ...keys, "ggml.add_space_prefix": ["bool", false] }));
    const ids = own.encode("earth", { addSpecialTokens: false });
    expect(spm.tokens[ids[0]!]!.startsWith("▁")).toBe(false);
    expect(own.decode(ids)).toBe("earth");
  });

  test("tokens too long to be taken apart are refused", async () => {
    const long = "a".repeat(Math.ceil(Math.sqrt(MAX_MERGE_WORK)) + 1);
    const tokens = [...spm.tokens.slice(0, -1), long];
    await expect(textOf({ ...keys, "ggml.tokens": texted(tokens) })).rejects.toMatchObject({ code: "limit" });
  });
});

/** Keys of an encoder, and its table of tokens. */
const textOfEncoder = async (keys: Record<string, Value>) => {
  const own = Object.entries(LEAST).map(([key, value]) => [key.replace("llama", "bert"), value] as const);
  const named = Object.entries(keys).map(([key, value]) => [`tokenizer.${key}`, value] as const);
  const least = Object.fromEntries([...own, ...named]);
  const epsilon: Record<string, Value> = { "bert.attention.layer_norm_epsilon": ["f32", 1e-12] };
  const architecture: Record<string, Value> = { "general.architecture": ["text", "bert"] };
  const source = await openGguf(
    writeGguf({ keys: { ...least, ...epsilon, ...architecture }, tensors: [embedding] }),
  );
  return source.text;
};

interface JsonOfEncoder {
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
  readonly model: { readonly vocab: Record<string, number> | readonly (readonly [string, number])[] };
}

describe("vocabularies of encoders", () => {
  const madeNamed = (name: string) => madeTokenizers.find((made) => made.name === name)!;
  const typesOf = ({ added_tokens: added }: JsonOfEncoder, count: number, unknown: string): Value => [
    "list",
    "i32",
    Array.from({ length: count }, (_, id) => {
      const content = added.find((one) => one.id === id)?.content;
      return content === undefined ? 1 : content === unknown ? 2 : 3;
    }),
  ];

  test("WordPiece, as BERT's converter writes it", async () => {
    const { tokenizer, cases, empty } = madeNamed("bert");
    const json = tokenizer as unknown as JsonOfEncoder;
    const vocab = Object.entries(json.model.vocab as Record<string, number>).sort((a, b) => a[1] - b[1]);
    const special = json.added_tokens.map(({ content }) => content);
    const tokens = vocab.map(([token]) =>
      special.includes(token) ? token : token.startsWith("##") ? token.slice(2) : `▁${token}`,
    );
    const keys: Record<string, Value> = {
      "ggml.model": ["text", "bert"],
      "ggml.tokens": texted(tokens),
      "ggml.token_type": typesOf(json, tokens.length, ""),
      "ggml.unknown_token_id": ["u32", tokens.indexOf("[UNK]")],
      "ggml.cls_token_id": ["u32", tokens.indexOf("[CLS]")],
      "ggml.seperator_token_id": ["u32", tokens.indexOf("[SEP]")],
    };
    const own = await createTokenizer(await textOfEncoder(keys));
    expect([...own.encode("")]).toEqual(empty);
    expect([own.specialId("cls"), own.specialId("sep")]).toEqual(empty);
    texts.forEach((text, i) => {
      const { plain, decoded = text } = cases[i]!;
      expect([...own.encode(text, { addSpecialTokens: false })], text).toEqual(plain);
      expect(own.decode(plain)).toBe(decoded);
    });
    const { "ggml.cls_token_id": _, "ggml.seperator_token_id": __, ...unsaid } = keys;
    expect([...(await createTokenizer(await textOfEncoder(unsaid))).encode("")]).toEqual(empty);
    const cased = await textOfEncoder({ ...keys, "ggml.tokens": texted([...tokens.slice(0, -1), "▁A"]) });
    expect(cased.tokenizer).toMatchObject({ normalizer: { lowercase: false } });
    expect((await textOfEncoder(keys)).tokenizer).toMatchObject({ normalizer: { lowercase: true } });
  });

  const unigrams = (): Record<string, Value> => {
    const json = madeNamed("unigram").tokenizer as unknown as JsonOfEncoder;
    const vocab = json.model.vocab as readonly (readonly [string, number])[];
    return {
      "ggml.model": ["text", "t5"],
      "ggml.tokens": texted(vocab.map(([token]) => token)),
      "ggml.scores": ["list", "f64", vocab.map(([, score]) => score)],
      "ggml.token_type": typesOf(json, vocab.length, "<unk>"),
      "ggml.bos_token_id": ["u32", 1],
      "ggml.eos_token_id": ["u32", 2],
      "ggml.add_space_prefix": ["bool", true],
      "ggml.remove_extra_whitespaces": ["bool", true],
      "ggml.precompiled_charsmap": ["list", "u8", [0]],
    };
  };

  test("unigrams, as XLM-RoBERTa's converter writes them", async () => {
    const { cases, tokenizer } = madeNamed("unigram");
    const own = await createTokenizer(await textOfEncoder(unigrams()));
    const folder = { ...tokenizer, normalizer: { type: "Precompiled" } };
    const folders = await createTokenizer({ tokenizer: folder });
    expect([...own.encode("")]).toEqual([1, 2]);
    texts.forEach((text, i) => {
      const { plain, decoded = text } = cases[i]!;
      const ids = own.encode(text, { addSpecialTokens: false });
      expect(ids, text).toEqual(folders.encode(text, { addSpecialTokens: false }));
      expect(own.decode(ids)).toBe(folders.decode(ids));
      // The reference takes names of control tokens for pieces, and was made with NFKC, as which ASCII is the same.
      if (!/^[ -~]*$/.test(text) || /<\/?s>/.test(text)) return;
      expect([...ids], text).toEqual(plain);
      expect(own.decode(plain)).toBe(decoded);
    });
  });

  test("byte-level, as RoBERTa's converter writes it: texts are surrounded unless a key says otherwise", async () => {
    const { tokenizer } = madeNamed("gpt-2");
    const { "ggml.add_bos_token": _, ...keys } = keysOf(
      tokenizer as unknown as JsonOfTokenizer,
      "roberta-bpe",
    );
    const empty = async (more: Record<string, Value>) => [
      ...(await createTokenizer(await textOfEncoder({ ...keys, ...more }))).encode(""),
    ];
    expect(await empty({})).toEqual([340, 340]);
    expect(await empty({ "ggml.cls_token_id": ["u32", 5] })).toEqual([5, 340]);
    expect(await empty({ "ggml.add_bos_token": ["bool", false] })).toEqual([]);
  });

  test.each<[string, Record<string, Value>, string]>([
    ["no scores", { "ggml.scores": ["list", "f32", [1]] }, "format"],
    ["spaces that are kept", { "ggml.remove_extra_whitespaces": ["bool", false] }, "unsupported"],
    ["no space before a text", { "ggml.add_space_prefix": ["bool", false] }, "unsupported"],
    ["an unknown token that is none", { "ggml.model": ["text", "bert"] }, "format"],
  ])("%s", async (_, more, code) => {
    await expect(textOfEncoder({ ...unigrams(), ...more })).rejects.toMatchObject({ code });
  });
});

describe("what comes with it", () => {
  const keys: Record<string, Value> = {
    "ggml.model": ["text", "gpt2"],
    "ggml.pre": ["text", "gpt-2"],
    "ggml.tokens": texted(["a", "b", "ab", "<|end|>", "<|eot|>"]),
    "ggml.token_type": ["list", "i32", [1, 1, 1, 3, 3]],
    "ggml.merges": texted(["a b"]),
    "ggml.eos_token_id": ["u32", 3],
  };

  test("templates, and every token that ends an answer", async () => {
    const text = await textOf({
      ...keys,
      "ggml.eot_token_id": ["u32", 4],
      "ggml.add_eos_token": ["bool", true],
      chat_template: ["text", "plain"],
      chat_templates: texted(["tool_use", "missing"]),
      "chat_template.tool_use": ["text", "tools"],
    });
    expect(text.generationConfig).toEqual({ eos_token_id: [3, 4] });
    expect(text.tokenizerConfig).toEqual({
      eos_token: "<|end|>",
      chat_template: [
        { name: "default", template: "plain" },
        { name: "tool_use", template: "tools" },
      ],
    });
    const own = await createTokenizer(text);
    expect([...own.encode("ab")]).toEqual([2, 3]);
    expect(await own.applyChatTemplate([{ role: "user", content: "a" }], { template: "tool_use" })).toBe(
      "tools",
    );
  });

  test("no vocabulary is no tokenizer", async () => {
    expect(await textOf({})).toEqual({});
    expect(await textOf({ "ggml.model": ["text", "none"] })).toEqual({});
  });

  test.each<[string, Record<string, Value>, string]>([
    ["an unknown kind", { "ggml.model": ["text", "rwkv"] }, "unsupported"],
    ["an unknown pre-tokenizer", { "ggml.pre": ["text", "toString"] }, "unsupported"],
    [
      "more tokens than the embedding has rows",
      { "ggml.tokens": texted(Array(ROWS + 1).fill("a")) },
      "format",
    ],
    ["too few types", { "ggml.token_type": ["list", "i32", [1]] }, "format"],
    ["ids that no token has", { "ggml.eos_token_id": ["u32", 5] }, "format"],
    ["types that are no numbers", { "ggml.token_type": ["text", "1"] }, "format"],
    ["no scores", { "ggml.model": ["text", "llama"] }, "format"],
  ])("%s", async (_, more, code) => {
    await expect(textOf({ ...keys, ...more })).rejects.toMatchObject({ code });
  });
});
