import { describe, expect, test, vi } from "vitest";
import { FormatError, OctetteError } from "../../src/errors";
import type { GenerateOptions } from "../../src/text/generate-options";
import type { GeneratedToken, LanguageSession, Prompt } from "../../src/text/language-session";
import { createTokenizer } from "../../src/text/tokenizer";
import { groundOf, letters, MAX_TOKENS, recallingDecoder, sessionOf, VOCABULARY } from "./recalling";

const decoder = recallingDecoder();

async function all(session: LanguageSession, prompt: Prompt, options: GenerateOptions = {}) {
  const pieces: GeneratedToken[] = [];
  const generation = session.generate(prompt, options);
  for (let step = await generation.next(); ; step = await generation.next()) {
    if (step.done) {
      const tokens = pieces.map(({ token }) => token);
      return { pieces, tokens, text: pieces.map(({ text }) => text).join(""), end: step.value.reason };
    }
    pieces.push(step.value);
  }
}

const generated = (prompt: Prompt, options: GenerateOptions = {}, own = decoder) => {
  using session = sessionOf(own);
  return all(session, prompt, options);
};

describe("generate", () => {
  test("yields tokens, their text and log probability, and returns why it ended", async () => {
    const { pieces, tokens, text, end } = await generated("abc", { maxTokens: 5 });
    expect(tokens).toHaveLength(5);
    expect(text).toBe(letters.decode(tokens));
    expect(end).toBe("length");
    for (const { logprob } of pieces) expect(logprob).toBeLessThanOrEqual(0);
    expect(await generated([0, 1, 2], { maxTokens: 5 })).toEqual({ pieces, tokens, text, end });
    expect(await generated(Int32Array.of(0, 1, 2), { maxTokens: 5 })).toEqual({ pieces, tokens, text, end });
  });

  test("is the same in chunks of any size, and when other sessions run in between", async () => {
    const expected = await generated("thequick", { maxTokens: 9, temperature: 1, seed: 3 });
    for (const chunk of [1, 3, 8])
      expect(
        await generated("thequick", { maxTokens: 9, temperature: 1, seed: 3 }, recallingDecoder(chunk)),
      ).toEqual(expected);
    const sessions = [sessionOf(decoder), sessionOf(decoder)];
    const [one, two] = sessions.map((session) =>
      session.generate("thequick", { maxTokens: 9, temperature: 1, seed: 3 }),
    );
    for (const piece of expected.pieces) {
      expect((await one!.next()).value).toEqual(piece);
      expect((await two!.next()).value).toEqual(piece);
    }
  });

  test("gives no id that the tokenizer has no token for", async () => {
    const ids = Array.from({ length: 9 }, (_, id) => id).filter((id) => id !== 4);
    const few = await createTokenizer({
      tokenizer: {
        model: {
          type: "BPE",
          vocab: Object.fromEntries(ids.map((id) => [String.fromCharCode(97 + id), id])),
          merges: [],
        },
        decoder: { type: "Fuse" },
      },
    });
    using session = sessionOf(decoder, { tokenizer: async () => few });
    const { tokens, text } = await all(session, "abc", { maxTokens: 20, temperature: 1e3, logprobs: 9 });
    for (const token of tokens) expect(ids).toContain(token);
    expect(new Set(tokens).size).toBeGreaterThan(3);
    expect(text).toBe(few.decode(tokens));
    session.reset();
    for await (const { top } of session.generate("abc", { maxTokens: 3, logprobs: 9 }))
      expect(top!.map(({ token }) => token).sort()).toEqual(ids);
  });

  test("goes on from the text so far", async () => {
    const whole = await generated("abc", { maxTokens: 8 });
    using session = sessionOf(decoder);
    const first = await all(session, "abc", { maxTokens: 3 });
    expect([...session.tokens]).toEqual([0, 1, 2, ...first.tokens]);
    expect(session.position).toBe(5);
    const rest = await all(session, [], { maxTokens: 5 });
    expect([...first.tokens, ...rest.tokens]).toEqual(whole.tokens);
    const other = await all(session, "xyz", { maxTokens: 1 });
    expect(other.tokens).toEqual(
      (await generated([0, 1, 2, ...whole.tokens, 23, 24, 25], { maxTokens: 1 })).tokens,
    );
  });

  test("ends at a stop token, which is its last and no text", async () => {
    const { tokens } = await generated("abc", { maxTokens: 8 });
    const at = tokens.indexOf(tokens[4]!);
    const stopped = await generated("abc", { stopTokens: [tokens[4]!] });
    expect(stopped.tokens).toEqual(tokens.slice(0, at + 1));
    expect(stopped.end).toBe("stop token");
    expect(stopped.text).toBe(letters.decode(tokens.slice(0, at)));
  });

  test("ends at the model's own ends of text, unless told otherwise", async () => {
    const { tokens } = await generated("abc", { maxTokens: 8 });
    using session = sessionOf(decoder, { ends: [tokens[2]!] });
    expect((await all(session, "abc")).end).toBe("stop token");
    session.reset();
    expect((await all(session, "abc", { maxTokens: 8, stopTokens: [] })).tokens).toEqual(tokens);
  });

  test("ends before a stop text, which may straddle tokens", async () => {
    const { text } = await generated("abc", { maxTokens: 8 });
    const stop = text.slice(2, 5);
    const stopped = await generated("abc", { maxTokens: 8, stop });
    expect(stopped.text).toBe(text.slice(0, text.indexOf(stop)));
    expect(stopped.end).toBe("stop text");
    const held = await generated("abc", { maxTokens: 8, stop: [`${text}x`, "|"] });
    expect(held.text).toBe(text);
    expect(held.pieces.slice(0, -1).every((piece) => piece.text === "")).toBe(true);
  });

  test("tells the most likely tokens where it is asked", async () => {
    const { pieces } = await generated("abc", { maxTokens: 2, logprobs: 3 });
    for (const { token, logprob, top } of pieces) {
      expect(top).toHaveLength(3);
      expect(top![0]).toEqual({ token, logprob });
      expect(top![1]!.logprob).toBeLessThanOrEqual(logprob);
    }
  });

  test("lets the caller change the logits of every step", async () => {
    const seen: number[][] = [];
    const { tokens } = await generated("abc", {
      maxTokens: 3,
      async processLogits(logits, before) {
        seen.push([...before]);
        const { length } = before;
        logits.fill(-Infinity);
        logits[length] = 0;
      },
    });
    expect(tokens).toEqual([3, 4, 5]);
    expect(seen).toEqual([
      [0, 1, 2],
      [0, 1, 2, 3],
      [0, 1, 2, 3, 4],
    ]);
  });

  test("draws other tokens where some were seen", async () => {
    const { tokens } = await generated("abc", { maxTokens: 12, repetitionPenalty: 1e6 });
    expect(new Set(tokens).size).toBe(12);
  });

  test("of no tokens reads the prompt alone", async () => {
    using session = sessionOf(decoder);
    expect(await all(session, "abc", { maxTokens: 0 })).toMatchObject({ tokens: [], end: "length" });
    expect(session.position).toBe(3);
  });

  test("fills the room there is by default", async () => {
    const { tokens, end } = await generated("abc");
    expect(tokens).toHaveLength(MAX_TOKENS - 3);
    expect(end).toBe("length");
  });
});

describe("a session", () => {
  test("reads a prompt beforehand", async () => {
    using session = sessionOf(decoder);
    const stages: unknown[] = [];
    await session.prefill("thequick", { onProgress: (progress) => stages.push(progress) });
    expect(stages).toEqual([
      { stage: "read", done: 4, total: 8 },
      { stage: "read", done: 8, total: 8 },
    ]);
    expect((await all(session, [], { maxTokens: 4 })).tokens).toEqual(
      (await generated("thequick", { maxTokens: 4 })).tokens,
    );
  });

  test("reads of a whole prompt only what it does not have, if asked", async () => {
    using session = sessionOf(decoder);
    const run = vi.spyOn(decoder.model, "runSync");
    await session.prefill("abcdef");
    await session.prefill("abcdefgh", { reuse: true });
    const read = () => run.mock.calls.map(([{ ids }]) => (ids as Int32Array).length);
    expect(read()).toEqual([4, 2, 2]);
    await session.prefill("abcdefgh", { reuse: true });
    expect(read()).toHaveLength(3);
    // Its state cannot go back, so it begins anew.
    const after = await all(session, "abx", { reuse: true, maxTokens: 3 });
    run.mockRestore();
    expect(after.tokens).toEqual((await generated("abx", { maxTokens: 3 })).tokens);
  });

  test("takes a conversation as all of its text", async () => {
    using session = sessionOf(decoder);
    const messages = [{ role: "user", content: "ab" }];
    const { tokens } = await all(session, messages, { maxTokens: 3 });
    expect(tokens).toEqual((await generated([0, 1, 26], { maxTokens: 3 })).tokens);
    const more = [...messages, { role: "assistant", content: "c" }, { role: "user", content: "d" }];
    await all(session, more, { maxTokens: 1 });
    expect([...session.tokens].slice(0, -1)).toEqual([0, 1, 26, 2, 26, 3, 26]);
  });

  test("is cloned, and both go on alone", async () => {
    using session = sessionOf(decoder);
    await all(session, "abc", { maxTokens: 2 });
    using copy = session.clone();
    const own = await all(session, "x", { maxTokens: 4 });
    expect(await all(copy, "x", { maxTokens: 4 })).toEqual(own);
    using read = sessionOf(decoder);
    await read.prefill("abc");
    expect((await all(read.clone(), [], { maxTokens: 3 })).tokens).toEqual(
      (await generated("abc", { maxTokens: 3 })).tokens,
    );
  });

  test("generates one text at a time, and is free when that ends in any way", async () => {
    using session = sessionOf(decoder);
    const generation = session.generate("abc");
    await generation.next();
    await expect(session.generate("x").next()).rejects.toThrow(/recalling: the session generates already/);
    await expect(session.prefill("x")).rejects.toThrow(/generates already/);
    expect(() => session.reset()).toThrow(/generates already/);
    await generation.return({ reason: "length" });
    await session.prefill("x");
    await expect(
      all(session, [], {
        processLogits() {
          throw new Error("mine");
        },
      }),
    ).rejects.toThrow("mine");
    await all(session, [], { maxTokens: 1 });
  });

  test("stops at a whole token when it is aborted", async () => {
    using session = sessionOf(decoder);
    const controller = new AbortController();
    const tokens: number[] = [];
    const run = async () => {
      for await (const { token } of session.generate("abc", { signal: controller.signal })) {
        tokens.push(token);
        if (tokens.length === 3) controller.abort(new Error("enough"));
      }
    };
    await expect(run()).rejects.toThrow("enough");
    expect([...session.tokens]).toEqual([0, 1, 2, ...tokens]);
    const rest = await all(session, [], { maxTokens: 2 });
    expect([...tokens, ...rest.tokens]).toEqual((await generated("abc", { maxTokens: 5 })).tokens);
    await expect(session.prefill("x", { signal: AbortSignal.abort(new Error("early")) })).rejects.toThrow(
      "early",
    );
  });

  test("keeps what was read of a prompt when reading it is aborted", async () => {
    using session = sessionOf(decoder);
    const controller = new AbortController();
    const { signal } = controller;
    const onProgress = () => controller.abort(new Error("enough"));
    await expect(session.prefill("thequick", { signal, onProgress })).rejects.toThrow("enough");
    expect(letters.decode(session.tokens)).toBe("theq");
    expect((await all(session, "thequick", { reuse: true, maxTokens: 3 })).tokens).toEqual(
      (await generated("thequick", { maxTokens: 3 })).tokens,
    );
  });
});

describe("save and restore", () => {
  const saved = async (prompt = "abc", maxTokens = 2) => {
    using session = sessionOf(decoder);
    await all(session, prompt, { maxTokens });
    return session.save();
  };

  test("go on where the session was, with another model of the same weights", async () => {
    const whole = await generated("abc", { maxTokens: 8 });
    for (const read of [0, 2, 5]) {
      using session = sessionOf(recallingDecoder(3));
      session.restore(await saved("abc", read));
      const { tokens } = await all(session, [], { maxTokens: 8 - read });
      expect(tokens).toEqual(whole.tokens.slice(read));
    }
  });

  test("of an empty session gives an empty one", () => {
    using session = sessionOf(decoder);
    const bytes = session.save();
    session.restore(bytes);
    expect(session.tokens).toHaveLength(0);
  });

  test("refuse another model, another tokenizer, damage", async () => {
    const bytes = await saved();
    const restore =
      (more: object, own = bytes) =>
      () =>
        sessionOf(decoder, more).restore(own);
    expect(restore({ hashes: () => ({ model: "x", tokenizer: "" }) })).toThrow(
      /recalling, session: the session is of another model: expected hash x, got m+/,
    );
    expect(restore({ hashes: () => ({ model: "m".repeat(64), tokenizer: "x" }) })).toThrow(
      /another tokenizer/,
    );
    for (let at = 0; at < bytes.length; at += 7) {
      const damaged = bytes.slice();
      damaged[at]! ^= 0x55;
      expect(restore({}, damaged)).toThrow(FormatError);
    }
    for (const length of [0, 8, 100, bytes.length - 1])
      expect(restore({}, bytes.slice(0, length))).toThrow(FormatError);
    expect(restore({ decoder: { ...decoder, maxTokens: 4 } })).toThrow(/too long/);
  });
});

describe("errors come before anything is computed", () => {
  const fails = async (prompt: Prompt, options: GenerateOptions, text: RegExp, more: object = {}) => {
    const run = vi.spyOn(decoder.model, "runSync");
    using session = sessionOf(decoder, more);
    const outcome = await Promise.resolve()
      .then(() => session.generate(prompt, options).next())
      .catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(OctetteError);
    expect((outcome as Error).message).toMatch(text);
    expect(run).not.toHaveBeenCalled();
    run.mockRestore();
  };

  test.each([
    [
      "a prompt that is too long",
      "a".repeat(MAX_TOKENS + 1),
      {},
      /the text is too long: expected at most maxTokens = 24 tokens, got 25 and 1/,
    ],
    ["too many tokens to generate", "abc", { maxTokens: 22 }, /too long.*got 3 and 22 to generate/],
    ["an empty prompt", "", {}, /the prompt is empty/],
    ["no prompt", [], {}, /the prompt is empty/],
    ["no messages", [], { reuse: true }, /the prompt is empty/],
    ["an id beyond the vocabulary", [1, VOCABULARY], {}, /not a token.*from 0 to 39, got 40/],
    ["an id that is none", [0.5], {}, /not a token/],
    ["a prompt that is none", 7 as unknown as string, {}, /not a token/],
    [
      "an option that is none",
      "a",
      { maxToken: 1 } as GenerateOptions,
      /no option "maxToken".*Did you mean maxTokens/,
    ],
    ["stop texts that are empty", "a", { stop: ["x", ""] }, /generate, stop.*got ""/],
    ["stop tokens beyond the vocabulary", "a", { stopTokens: [99] }, /generate, stopTokens/],
    ["maxTokens that is no number", "a", { maxTokens: -1 }, /generate, maxTokens/],
    ["logprobs that are no number", "a", { logprobs: 0.5 }, /generate, logprobs/],
    [
      "a hook that is no function",
      "a",
      { processLogits: 1 as unknown as () => void },
      /generate, processLogits/,
    ],
  ] as const)("%s", async (_, prompt, options, text) => fails(prompt, options, text));

  test("text without a tokenizer", async () => {
    const more = { hasTokenizer: false };
    await fails("a", {}, /recalling, prompt: the model has no tokenizer/, more);
    await fails([1], { stop: "x" }, /no tokenizer/, more);
    using session = sessionOf(decoder, more);
    expect((await all(session, [0, 1], { maxTokens: 2 })).text).toBe("");
  });

  test("a second time where the first filled the room", async () => {
    using session = sessionOf(decoder);
    await all(session, "abc");
    await expect(session.generate().next()).rejects.toThrow(/too long/);
  });
});

test("a session of a model that was disposed says so", async () => {
  const own = recallingDecoder();
  const session = sessionOf(own, groundOf(own));
  await all(session, "abc", { maxTokens: 2 });
  own.model.dispose();
  await expect(all(session, [])).rejects.toThrow(/disposed/);
});
