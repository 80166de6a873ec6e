import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import { readNpy } from "../../src/formats/npy";
import { readNpz } from "../../src/formats/npz";
import { createTokenizer, type Tokenizer } from "../../src/text/tokenizer";
import { MAX_VOCABULARY } from "../../src/text/tokenizer/json";
import { realFile } from "../formats/fixtures";
import { madeTokenizer, madeTokenizers, texts } from "./made";

const jsonOf = (path: string) => {
  const file = realFile(path);
  return file && JSON.parse(new TextDecoder().decode(file));
};
const textOf = (path: string) => new TextDecoder().decode(realFile(path));

/** Unigram's reference takes a control token's text for the token even where it is told not to. */
const controlText = (name: string, text: string) => name.startsWith("unigram") && text.includes("<s>");

describe.each(madeTokenizers)("the reference's ids and texts: $name", ({ name, tokenizer, empty, cases }) => {
  test("every text", async () => {
    const own = await createTokenizer({ tokenizer });
    expect([...own.encode("")]).toEqual(empty);
    texts.forEach((text, i) => {
      const { plain, parsed = plain, decoded = text, all = text } = cases[i]!;
      if (!controlText(name, text)) {
        expect([...own.encode(text, { addSpecialTokens: false })], text).toEqual(plain);
        const parse = { addSpecialTokens: false, parseSpecialTokens: true };
        expect([...own.encode(text, parse)], text).toEqual(parsed);
      }
      expect(own.decode(plain)).toBe(decoded);
      expect(own.decode(parsed, { skipSpecial: false })).toBe(all);
    });
  });

  test("no text becomes a control token", async () => {
    const own = await createTokenizer({ tokenizer });
    const controls = (tokenizer as unknown as { added_tokens: { id: number; content: string }[] })
      .added_tokens;
    for (const { content } of controls) {
      const unknown = own.specialId("<unk>") ?? own.specialId("[UNK]");
      for (const text of [content, `a${content}b`, ` ${content} `, content.repeat(3)])
        for (const id of own.encode(text, { addSpecialTokens: false }))
          if (id !== unknown) expect(own.isSpecial(id), `${text}: ${id}`).toBe(false);
    }
  });

  test("a stream gives what decode gives, in whole characters", async () => {
    const own = await createTokenizer({ tokenizer });
    const ids = fc.array(fc.nat(own.vocabulary - 1), { maxLength: 24 });
    fc.assert(
      fc.property(ids, fc.boolean(), (ids, skipSpecial) => {
        const stream = own.stream({ skipSpecial });
        const parts = [...ids.map((id) => stream.push(id)), stream.end()];
        expect(parts.join("")).toBe(own.decode(ids, { skipSpecial }));
      }),
    );
    for (const text of texts) {
      const stream = own.stream();
      const ids = own.encode(text, { addSpecialTokens: false });
      const whole = own.decode(ids);
      if (whole.includes("\ufffd")) continue;
      for (const id of ids) expect(stream.push(id)).not.toContain("\ufffd");
      expect(stream.end()).toBe("");
    }
  });
});

describe("whatever a vocabulary's merges are", () => {
  const bytes = madeTokenizer("gpt-2") as {
    model: { vocab: Record<string, number>; merges: [string, string][] };
  };

  test("they make no control token of a text", async () => {
    // A file whose merges would spell its own control token.
    const text = "<|end|>";
    const { vocab, merges } = bytes.model;
    for (let i = 2; i < text.length; i++) {
      vocab[text.slice(0, i)] ??= 1000 + i;
      merges.unshift([text.slice(0, i - 1), text[i - 1]!]);
    }
    merges.push([text.slice(0, -1), ">"]);
    const id = (await createTokenizer({ tokenizer: bytes })).specialId(text)!;
    vocab[text] = id;
    const all = { ...bytes, pre_tokenizer: { type: "ByteLevel", use_regex: false } };
    for (const ignore_merges of [true, false]) {
      const own = await createTokenizer({ tokenizer: { ...all, model: { ...bytes.model, ignore_merges } } });
      expect([...own.encode(text, { addSpecialTokens: false })]).not.toContain(id);
      expect([...own.encode(text, { addSpecialTokens: false, parseSpecialTokens: true })]).toEqual([id]);
      expect(own.decode(own.encode(text))).toBe(text);
    }
  });
});

test("a stream that goes on keeps the space that another text would lose", async () => {
  const own = await createTokenizer({ tokenizer: madeTokenizer("llama-2") });
  const ids = own.encode("the earth", { addSpecialTokens: false });
  const write = (isContinued: boolean) => {
    const stream = own.stream({ isContinued });
    return [...ids].map((id) => stream.push(id)).join("") + stream.end();
  };
  expect([write(false), write(true)]).toEqual(["the earth", " the earth"]);
});

test("half a character is held back, and given as U+FFFD at the end", async () => {
  for (const name of ["gpt-2", "llama-2"]) {
    const own = await createTokenizer({ tokenizer: madeTokenizer(name) });
    const ids = [...own.encode("🙂", { addSpecialTokens: false })].slice(-4);
    const whole = own.stream({ isContinued: true });
    expect(ids.map((id) => whole.push(id))).toEqual(["", "", "", "🙂"]);
    const half = own.stream({ isContinued: true });
    expect(ids.slice(0, 3).map((id) => half.push(id))).toEqual(["", "", ""]);
    expect(half.end()).toBe("\ufffd");
  }
});

const rejects = (tokenizer: unknown) =>
  createTokenizer({ tokenizer: tokenizer as Record<string, unknown> }).then(
    () => expect.fail("it was taken"),
    (error: OctetteError) => {
      expect(error).toBeInstanceOf(OctetteError);
      return [error.code, error.message];
    },
  );

describe("what is refused", () => {
  test("no tokenizer", async () => {
    await expect(createTokenizer({})).rejects.toMatchObject({ code: "unsupported" });
  });

  test("ids without a token, and what is no text", async () => {
    const own = await createTokenizer({ tokenizer: madeTokenizer("gpt-2") });
    for (const id of [-1, own.vocabulary, 1.5, Number.NaN, 2 ** 40])
      expect(() => own.decode([id])).toThrow(/no token has this id/);
    expect(() => own.stream().push(own.vocabulary)).toThrow(OctetteError);
    expect(() => own.encode(undefined as unknown as string)).toThrow(/not a text/);
    expect(() => own.encode("", { special: true } as object)).toThrow(/no option "special"/);
    expect(own.decode([])).toBe("");
  });

  test("parts that octette does not have, by name and place", async () => {
    const json = madeTokenizer("gpt-2");
    const [code, message] = await rejects({ ...json, normalizer: { type: "Nmt" } });
    expect([code, message]).toEqual([
      "unsupported",
      expect.stringContaining("tokenizer.json.normalizer.type"),
    ]);
    for (const changed of [
      { pre_tokenizer: { type: "UnicodeScripts" } },
      { decoder: { type: "CTC" } },
      { post_processor: { type: "Other" } },
      { model: { type: "toString", vocab: {} } },
    ])
      expect((await rejects({ ...json, ...changed }))[0]).toBe("unsupported");
  });

  test("damage", async () => {
    const json = madeTokenizer("gpt-2");
    const model = json.model as object;
    const deep = (depth: number): object =>
      depth === 0 ? { type: "NFC" } : { type: "Sequence", normalizers: [deep(depth - 1)] };
    for (const changed of [
      { model: null },
      { model: { ...model, vocab: { a: -1 } } },
      { model: { ...model, vocab: {} } },
      { model: { ...model, merges: ["a"] } },
      { model: { ...model, merges: [["no", "token"]] } },
      { model: { type: "Unigram", vocab: [["a", "b"]], unk_id: 0 } },
      { model: { type: "Unigram", vocab: [null], unk_id: 7 } },
      { added_tokens: [{ id: 0, content: "" }] },
      { added_tokens: [{ id: 0, content: "a", special: 1 }] },
      { normalizer: deep(20) },
      { pre_tokenizer: { type: "Split", pattern: { Regex: "(" }, behavior: "Isolated" } },
      { decoder: { type: "Replace", pattern: { Regex: "[" }, content: "" } },
      { post_processor: { type: "BertProcessing", sep: ["x", 5000], cls: ["y", 5000] } },
    ])
      expect((await rejects({ ...json, ...changed }))[0], JSON.stringify(changed)).toBe("format");
    const far = { added_tokens: [{ id: MAX_VOCABULARY, content: "a" }] };
    expect((await rejects({ ...json, ...far }))[0]).toBe("limit");
  });
});

const models = ["kjv", "llama", "prose"].filter((name) => realFile(`lm/${name}/tokenizer.json`));
const load = (folder: string): Promise<Tokenizer> =>
  createTokenizer({
    tokenizer: jsonOf(`lm/${folder}/tokenizer.json`),
    tokenizerConfig: jsonOf(`lm/${folder}/tokenizer_config.json`),
  });

describe.skipIf(models.length === 0)("tokenizers of real models", () => {
  test("kjv: the ids of its text", async () => {
    const own = await load("kjv");
    const text = textOf("lm/kjv/eval.txt");
    const ids = own.encode(text);
    expect(ids).toEqual(Int32Array.from(readNpy(realFile("lm/kjv/eval_ids.npy")!).data));
    expect(own.decode(ids)).toBe(text);
    expect([own.specialId("eos"), own.specialId("<|endoftext|>"), own.specialId("pad")]).toEqual([
      0,
      0,
      undefined,
    ]);
  });

  test.each(models.filter((name) => name !== "llama"))("%s: texts come back", async (name) => {
    const own = await load(name);
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => own.decode(own.encode(text)) === text));
  });

  test("the GGUF files' text", async () => {
    const { tokenizer } = jsonOf("lm/gguf/figures.json");
    expect([...(await load("kjv")).encode(tokenizer.text)]).toEqual(tokenizer.ids);
  });

  test("bert: rows of its texts", async () => {
    const own = await load("tiny/bert");
    const golden = readNpz(realFile("lm/tiny/bert/golden.npz")!);
    const [ids, mask] = [golden.get("ids")!, golden.get("mask")!];
    const width = ids.shape[1]!;
    jsonOf("lm/tiny/bert/texts.json").forEach((text: string, row: number) => {
      const kept = [...ids.data.subarray(row * width, (row + 1) * width)].filter(
        (_, i) => mask.data[row * width + i] === 1,
      );
      expect([...own.encode(text)], text).toEqual(kept);
    });
  });
});
