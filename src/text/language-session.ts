// A text and its cache. A session reads prompts, generates token by token, and can be branched, saved
// and restored. Its last token may be one that the model has not read yet. The file is long because the class is one: all of it changes
// the same text and cache.

import { FormatError, OctetteError } from "../errors";
import { givingWay } from "../event-loop";
import { LONG_CALL, type LongCallOptions } from "../long-call";
import { checkOptions, type Names } from "../options";
import type { Cache, Decoder } from "./decoder";
import { type GenerateOptions, type GenerationSettings, wantedOf } from "./generate-options";
import { GeneratedText } from "./generated-text";
import type { SamplingOptions } from "./sampling/options";
import { Sampler, type TokenChoice } from "./sampling/sampler";
import { readSession, type SessionHashes, writeSession } from "./session-file";
import type { ChatMessage, Tokenizer } from "./tokenizer";
import type { TokenTexts } from "./tokenizer/token-texts";

/** A text, the messages of a conversation, or tokens. */
export type Prompt = string | readonly ChatMessage[] | readonly number[] | Int32Array;

/** One token of a generated text. */
export interface GeneratedToken {
  readonly token: number;
  /** Text that this token completes: whole characters, possibly none, possibly with characters of earlier tokens. */
  readonly text: string;
  /** The logarithm of the probability that the model gave it, before penalties, truncation and temperature. */
  readonly logprob: number;
  /** The most likely tokens of this step, where `logprobs` asked for them. */
  readonly top?: readonly TokenChoice[];
}

/** Why a generation ended: its most tokens, a token or a text that ends it. */
export interface GenerationEnd {
  readonly reason: "length" | "stop token" | "stop text";
}

/** Options of `prefill`. */
export interface PrefillOptions extends LongCallOptions {
  /** As the option of `generate`. Default: true for messages, false for other prompts. */
  readonly reuse?: boolean | undefined;
}

const PREFILL = { ...LONG_CALL, reuse: 1 } satisfies Names<PrefillOptions>;

/** What a session has of its model. */
export interface SessionGround {
  readonly where: string;
  readonly decoder: Decoder;
  readonly hasTokenizer: boolean;
  readonly tokenizer: () => Promise<Tokenizer>;
  /** Texts of its tokens. */
  readonly texts: () => Promise<TokenTexts>;
  readonly configured: SamplingOptions;
  /** Tokens that end a text. */
  readonly ends: readonly number[];
  readonly hashes: () => SessionHashes;
}

/** One text that a model reads and continues, made by `model.session()`. */
export class LanguageSession {
  readonly #ground: SessionGround;
  #cache: Cache;
  /** Those that the model has read, and at most one more. */
  #tokens: number[] = [];
  /** Logits of what follows the last token, where the model has read that. */
  readonly #logits: Float32Array;
  #hasLogits = false;
  /** A copy of the logits that a caller's function may change. */
  #own: Float32Array | undefined;
  readonly #one = new Int32Array(1);
  #isBusy = false;

  /** @internal */
  constructor(ground: SessionGround, cache: Cache) {
    this.#ground = ground;
    this.#cache = cache;
    this.#logits = new Float32Array(ground.decoder.vocabulary);
  }

  /** Tokens of the text so far. */
  get tokens(): Int32Array {
    return Int32Array.from(this.#tokens);
  }

  /** Tokens that the model has read. */
  get position(): number {
    return this.#cache.position;
  }

  /**
   * Reads a prompt, so that a later `generate` begins at once. Stopped by its signal, it throws the reason, and the session has the
   * tokens that were read. Throws an OctetteError "limit", before anything is read, where there is no room.
   */
  async prefill(prompt: Prompt, options: PrefillOptions = {}): Promise<void> {
    checkOptions("prefill", options, PREFILL);
    this.#begin();
    try {
      await this.#read(await this.#enter(prompt, options.reuse, 0), options);
    } finally {
      this.#isBusy = false;
    }
  }

  /**
   * Generates what follows the prompt, or the text so far: yields token by token, and returns why it ended. Throws before it
   * computes where an option does not fit, there is no room for `maxTokens`, or the session generates already. Where it is stopped,
   * by its signal or by leaving the loop, the session has the tokens that were yielded.
   */
  generate(
    prompt: Prompt = [],
    options: GenerateOptions = {},
  ): AsyncGenerator<GeneratedToken, GenerationEnd> {
    const { configured, ends, decoder, hasTokenizer, where } = this.#ground;
    const wanted = wantedOf(options, configured, isTokens(prompt) ? [] : ends, decoder.vocabulary);
    if (wanted.stops.length > 0 && !hasTokenizer) throw withoutTokenizer(where, "generate, stop");
    return this.#generate(prompt, options, wanted);
  }

  /** Another session that goes on from here. */
  clone(): LanguageSession {
    const copy = new LanguageSession(this.#ground, this.#ground.decoder.clone(this.#cache));
    copy.#tokens = [...this.#tokens];
    copy.#logits.set(this.#logits);
    copy.#hasLogits = this.#hasLogits;
    return copy;
  }

  /** Begins anew, with no text. */
  reset(): void {
    this.#checkIdle();
    this.dispose();
  }

  /** The session as bytes, which are valid wherever its model is. */
  save(): Uint8Array<ArrayBuffer> {
    const { decoder, hashes } = this.#ground;
    const logits = this.#hasLogits ? this.#logits : undefined;
    const states = decoder.save(this.#cache);
    return writeSession({ tokens: this.tokens, position: this.position, logits, states }, hashes());
  }

  /**
   * Goes on from what `save` gave, in place of its own text. Throws FormatError where the bytes are damaged, or of another model or
   * tokenizer, OctetteError "limit" where they have more tokens than the model was loaded for.
   */
  restore(bytes: Uint8Array): void {
    this.#checkIdle();
    const { decoder, hashes, where } = this.#ground;
    const { tokens, position, logits, states } = readSession(bytes, hashes(), `${where}, session`);
    if (tokens.length > decoder.maxTokens) throw this.#tooLong(tokens.length, 0);
    const isUnread = tokens.length - position === 1;
    const isWhole = (isUnread || tokens.length === position) && isUnread === (logits === undefined);
    const isEmpty = tokens.length === 0 && logits === undefined;
    const cache = decoder.restore(states, position);
    const isKnown = tokens.every((id) => id >= 0 && id < decoder.vocabulary);
    if (!cache || !isKnown || !(isWhole || isEmpty) || (logits && logits.length !== decoder.vocabulary))
      throw new FormatError("the session does not fit the model", { where: `${where}, session` });
    decoder.close(this.#cache);
    this.#cache = cache;
    this.#tokens = [...tokens];
    this.#hasLogits = logits !== undefined;
    if (logits) this.#logits.set(logits);
  }

  /** Lets go of its memory. */
  dispose(): void {
    this.#ground.decoder.close(this.#cache);
    this.#tokens = [];
    this.#hasLogits = false;
  }

  /** As `dispose`: with `using session = model.session()`, memory is let go of where the block ends. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  async *#generate(
    prompt: Prompt,
    options: GenerateOptions,
    wanted: GenerationSettings,
  ): AsyncGenerator<GeneratedToken, GenerationEnd> {
    this.#begin();
    try {
      const { decoder, hasTokenizer, where } = this.#ground;
      await this.#read(await this.#enter(prompt, options.reuse, wanted.maxTokens ?? 1), options);
      const most = wanted.maxTokens ?? decoder.maxTokens - this.#tokens.length;
      if (most === 0) return { reason: "length" };
      const giveWay = givingWay(options.signal);
      const texts = hasTokenizer ? await this.#ground.texts() : undefined;
      const { vocabulary } = decoder;
      const sampler = new Sampler(wanted.sampling, vocabulary, where, texts?.absent(vocabulary));
      const text = new GeneratedText(texts, wanted.stops);
      const seen = new Set(this.#tokens);
      const generated = new Map<number, number>();
      for (let left = most; ; ) {
        const logits = await this.#processed(options.processLogits);
        const { token, ...told } = sampler.sample(logits, { seen, generated }, wanted.logprobs);
        this.#tokens.push(token);
        this.#hasLogits = false;
        seen.add(token);
        generated.set(token, (generated.get(token) ?? 0) + 1);
        const isEnd = wanted.stopTokens.has(token);
        const isLast = --left === 0 || isEnd;
        const piece = text.push(isEnd ? undefined : token, isLast);
        yield { token, text: piece, ...told };
        if (text.isStopped || isLast)
          return { reason: isEnd ? "stop token" : text.isStopped ? "stop text" : "length" };
        await giveWay();
        this.#one[0] = token;
        decoder.run(this.#cache, this.#one, this.#logits);
        this.#hasLogits = true;
      }
    } finally {
      this.#isBusy = false;
    }
  }

  /** The logits, as the caller's function leaves them. */
  async #processed(process: GenerateOptions["processLogits"]): Promise<Float32Array> {
    if (!process) return this.#logits;
    this.#own ??= new Float32Array(this.#logits.length);
    this.#own.set(this.#logits);
    await process(this.#own, this.#tokens);
    return this.#own;
  }

  /** Tokens of a prompt that are to be read, once the session has gone back to where it parts from the prompt. */
  async #enter(prompt: Prompt, reuse: boolean | undefined, more: number): Promise<ArrayLike<number>> {
    const isWhole = reuse ?? isConversation(prompt);
    const known = this.#tokens.length;
    const ids = await this.#encoded(prompt, isWhole || known === 0);
    if ((isWhole ? 0 : known) + ids.length + more > this.#ground.decoder.maxTokens)
      throw this.#tooLong((isWhole ? 0 : known) + ids.length, more);
    if ((isWhole || known === 0) && ids.length === 0)
      throw new OctetteError("the prompt is empty", {
        code: "argument",
        where: this.#ground.where,
        expected: "a token at least, to say what follows",
      });
    if (!isWhole) return ids;
    const { decoder } = this.#ground;
    let shared = 0;
    while (shared < Math.min(this.position, ids.length) && this.#tokens[shared] === ids[shared]) shared++;
    // What follows the last token is known only where nothing came after it.
    if (shared === ids.length && !(this.#hasLogits && known === shared)) shared--;
    if (shared === known) return ids.slice(shared);
    const kept = decoder.rewind(this.#cache, shared);
    this.#tokens = [...ids.slice(0, kept)];
    this.#hasLogits = false;
    return ids.slice(kept);
  }

  async #encoded(prompt: Prompt, isStart: boolean): Promise<Int32Array> {
    const { hasTokenizer, decoder, where } = this.#ground;
    if (typeof prompt === "string" || isConversation(prompt)) {
      if (!hasTokenizer) throw withoutTokenizer(where, "prompt");
      const tokenizer = await this.#ground.tokenizer();
      if (typeof prompt !== "string") return tokenizer.encodeChat(prompt);
      return tokenizer.encode(prompt, { addSpecialTokens: isStart });
    }
    const ids = prompt as readonly number[] | Int32Array;
    const wrong =
      ids.length === undefined
        ? NaN
        : ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < decoder.vocabulary));
    if (wrong === undefined) return Int32Array.from(ids);
    throw new OctetteError("not a token of the model", {
      code: "argument",
      where: `${where}, prompt`,
      expected: `a text, messages, or tokens from 0 to ${decoder.vocabulary - 1}`,
      got: `${wrong}`,
    });
  }

  /** Reads the unread tokens in chunks. The last chunk gives logits. */
  async #read(ids: ArrayLike<number>, { signal, onProgress }: LongCallOptions): Promise<void> {
    const { decoder } = this.#ground;
    const giveWay = givingWay(signal);
    const all = Int32Array.from([...this.#tokens.slice(this.position), ...Array.from(ids)]);
    signal?.throwIfAborted();
    for (let done = 0; done < all.length; ) {
      const chunk = all.subarray(done, done + decoder.chunk);
      const isLast = done + chunk.length === all.length;
      const at = this.position;
      decoder.run(this.#cache, chunk, isLast ? this.#logits : NO_LOGITS);
      this.#tokens.splice(at, Infinity, ...chunk);
      this.#hasLogits = isLast;
      done += chunk.length;
      await onProgress?.({ stage: "read", done, total: all.length });
      if (!isLast) await giveWay();
    }
  }

  #begin(): void {
    this.#checkIdle();
    this.#isBusy = true;
  }

  #checkIdle(): void {
    if (this.#isBusy)
      throw new OctetteError("the session generates already", {
        code: "argument",
        where: this.#ground.where,
        hint: "End that generation first, or take session.clone()",
      });
  }

  #tooLong(tokens: number, more: number): OctetteError {
    return new OctetteError("the text is too long", {
      code: "limit",
      where: this.#ground.where,
      expected: `at most maxTokens = ${this.#ground.decoder.maxTokens} tokens`,
      got: `${tokens}${more > 0 ? ` and ${more} to generate` : ""}`,
      hint: "Load the model with a larger maxTokens, or prefill a new session with what is to be kept",
    });
  }
}

const NO_LOGITS = new Float32Array();

const isConversation = (prompt: Prompt): prompt is readonly ChatMessage[] =>
  Array.isArray(prompt) && typeof prompt[0] === "object";

const isTokens = (prompt: Prompt): boolean =>
  typeof prompt !== "string" && prompt?.length > 0 && !isConversation(prompt);

const withoutTokenizer = (where: string, what: string) =>
  new OctetteError("the model has no tokenizer", {
    code: "argument",
    where: `${where}, ${what}`,
    expected: "tokens",
    hint: "Give tokens instead of text, or load it with tokenizer.json beside it",
  });
