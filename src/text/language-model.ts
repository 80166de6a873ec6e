// A loaded language model: its memory, its tokenizer, and its methods to generate, score and embed.

import type { Model } from "../engine/model";
import type { Plan } from "../engine/plan";
import type { EngineInfo } from "../engine/wasm";
import { OctetteError } from "../errors";
import type { LanguageFacts, TextAssets } from "../formats/language-source";
import type { Graph } from "../graph/graph";
import { createSha256 } from "../graph/sha256";
import type { Constant } from "../graph/tensor";
import { LONG_CALL, type LongCallOptions } from "../long-call";
import { checkOptions } from "../options";
import type { StoredTokenizer } from "./artifact-text";
import { Cache, Decoder } from "./decoder";
import type { Classification, Encoder, Texts } from "./encoder";
import { LanguageSession, type SessionGround } from "./language-session";
import { configuredSampling } from "./sampling/options";
import type { Tokenizer } from "./tokenizer";
import type { TokenTexts } from "./tokenizer/token-texts";

/** What a model is made of beside its memory. */
export interface LanguageParts {
  readonly where: string;
  readonly text: TextAssets;
  /** Of an artifact: its tokenizer, vocabulary and merges not parsed. */
  readonly stored?: StoredTokenizer | undefined;
  readonly facts: LanguageFacts;
  readonly maxTokens: number;
  readonly chunk: number;
  /** Of graph and weights. */
  readonly hash: string;
}

/** Bytes of memory. */
export interface LanguageMemory {
  /** Packed weights. */
  readonly weights: number;
  /** Keys, values and other states, of `maxTokens` tokens. */
  readonly cache: number;
  /** Bytes that one more token adds to a session's cache. */
  readonly cachePerToken: number;
  /** Values of a run. */
  readonly arena: number;
  /** All wasm memory. */
  readonly total: number;
}

/** A language model in memory, made by `loadLanguageModel`. */
export class LanguageModel {
  /** What it computes, and most tokens that it was made for. */
  readonly facts: LanguageFacts;
  /** Most tokens of a text, prompt and answer together, that it was loaded for. */
  readonly maxTokens: number;
  /** Logits of a row: ids of tokens are 0 to `vocabulary` − 1. Of an encoder 0. */
  readonly vocabulary: number;
  readonly #parts: LanguageParts;
  readonly #model: Model;
  readonly #decoder: Decoder | undefined;
  #tokenizer: Promise<Tokenizer> | undefined;
  #texts: Promise<TokenTexts> | undefined;
  #encoder: Promise<Encoder> | undefined;
  #tokenizerHash: string | undefined;

  /** @internal */
  constructor(model: Model, parts: LanguageParts) {
    const { facts, maxTokens, chunk } = parts;
    this.facts = facts;
    this.maxTokens = maxTokens;
    this.#parts = parts;
    this.#model = model;
    if (facts.task === "next-token") this.#decoder = new Decoder(model, maxTokens, chunk);
    this.vocabulary = this.#decoder?.vocabulary ?? 0;
  }

  /** Its tokenizer, made when it is first asked for. Throws an OctetteError where the model came without one. */
  tokenizer(): Promise<Tokenizer> {
    this.#tokenizer ??= import("./tokenizer").then(({ createTokenizer }) =>
      createTokenizer(this.#parts.text),
    );
    return this.#tokenizer;
  }

  /** Whether it came with a tokenizer: without one it takes tokens instead of text. */
  get hasTokenizer(): boolean {
    return "tokenizer" in this.#parts.text;
  }

  /** Which kernels run and on how many threads, and why. */
  get engine(): EngineInfo {
    return this.#model.engine;
  }

  /** Bytes of memory that it takes. */
  get memory(): LanguageMemory {
    const { memory } = this.#model.plan;
    const { all, perToken } = this.#decoder?.cacheBytes ?? { all: 0, perToken: 0 };
    return {
      weights: memory.constantBytes - all,
      cache: all,
      cachePerToken: perToken,
      arena: memory.arenaBytes,
      total: this.#model.bytes,
    };
  }

  /**
   * A text to generate: with a cache of its own, which the model's memory holds while it runs. One that runs after another is copied
   * in, and the other out, as far as they are filled.
   */
  session(): LanguageSession {
    return new LanguageSession(this.#ground(), new Cache());
  }

  /** An embedding of each text. Throws an OctetteError "unsupported" where the model makes none, "limit" where a text is too long. */
  async embed(texts: Texts, options: LongCallOptions = {}): Promise<Float32Array[]> {
    checkOptions("embed", options, LONG_CALL);
    const encoder = await this.encoder();
    return encoder.run(await this.#encoded(texts), "embedding", options);
  }

  /** The likeliest class of each text. Throws as `embed` does. */
  async classify(texts: Texts, options: LongCallOptions = {}): Promise<Classification[]> {
    checkOptions("classify", options, LONG_CALL);
    const encoder = await this.encoder();
    const rows = await encoder.run(await this.#encoded(texts), "classes", options);
    return rows.map((logits) => encoder.classOf(logits));
  }

  /** @internal */
  get graph(): Graph<Constant> {
    return this.#model.graph;
  }

  /** @internal */
  get plan(): Plan {
    return this.#model.plan;
  }

  /** SHA-256 of graph and weights; of an artifact its content hash. */
  get hash(): string {
    return this.#parts.hash;
  }

  /** @internal */
  get decoder(): Decoder {
    if (this.#decoder) return this.#decoder;
    throw new OctetteError("the model is an encoder: it generates no text", {
      code: "unsupported",
      where: this.#parts.where,
      hint: "model.embed(texts), or model.classify(texts)",
    });
  }

  /** @internal */
  async encoder(): Promise<Encoder> {
    const { facts, maxTokens, where } = this.#parts;
    if (this.#decoder)
      throw new OctetteError("the model generates text: it is no encoder", {
        code: "unsupported",
        where,
        hint: "model.session().generate(prompt)",
      });
    this.#encoder ??= import("./encoder").then(
      ({ Encoder }) => new Encoder(this.#model, facts, maxTokens, where),
    );
    return this.#encoder;
  }

  /** Frees its memory and ends its threads. Its sessions throw an OctetteError "disposed" afterwards. */
  dispose(): void {
    this.#model.dispose();
  }

  /** As `dispose`: with `using model = await loadLanguageModel(path)`, memory is let go of where the block ends. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #ground(): SessionGround {
    const { where, text } = this.#parts;
    return {
      where,
      decoder: this.decoder,
      hasTokenizer: this.hasTokenizer,
      tokenizer: () => this.tokenizer(),
      texts: () => this.#tokenTexts(),
      configured: configuredSampling(text.generationConfig),
      ends: endsOf(text, this.vocabulary),
      hashes: () => ({ model: this.#parts.hash, tokenizer: this.#hashOfTokenizer() }),
    };
  }

  /** Without the tables that only encoding takes, where no tokenizer is made yet. */
  #tokenTexts(): Promise<TokenTexts> {
    const { stored } = this.#parts;
    if (!stored || this.#tokenizer) return this.tokenizer().then(({ texts }) => texts);
    this.#texts ??= import("./tokenizer/token-texts").then(
      async ({ storedTexts }) => storedTexts(stored) ?? (await this.tokenizer()).texts,
    );
    return this.#texts;
  }

  #hashOfTokenizer(): string {
    if (!this.hasTokenizer) return "";
    this.#tokenizerHash ??= hashOf(this.#parts);
    return this.#tokenizerHash;
  }

  async #encoded(texts: Texts): Promise<Int32Array[]> {
    if (!Array.isArray(texts))
      throw new OctetteError("takes a list of texts", {
        code: "argument",
        where: this.#parts.where,
        got: typeof texts,
      });
    const tokenizer = texts.some((text) => typeof text === "string") ? await this.tokenizer() : undefined;
    return texts.map((text) => (typeof text === "string" ? tokenizer!.encode(text) : Int32Array.from(text)));
  }
}

function hashOf({ text, stored }: LanguageParts): string {
  const json = JSON.stringify(stored?.json ?? text.tokenizer);
  const hash = createSha256().update(new TextEncoder().encode(json));
  for (const bytes of stored?.tensors.values() ?? []) hash.update(bytes);
  return hash.digest();
}

/** Tokens that end a text, as generation_config.json says. */
function endsOf({ generationConfig }: TextAssets, vocabulary: number): number[] {
  const given = generationConfig?.eos_token_id;
  const ends: readonly unknown[] = Array.isArray(given) ? given : [given];
  return ends.filter((id) => Number.isInteger(id) && Number(id) >= 0 && Number(id) < vocabulary) as number[];
}
