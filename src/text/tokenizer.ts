// Text to tokens and back, from the files that a language model comes with. A text is data: where it holds what looks like a
// control token, that stays text unless a caller asks otherwise.

import { FormatError, OctetteError } from "../errors";
import type { TextAssets } from "../formats/language-source";
import { checkOptions, type Names } from "../options";
import { AddedTokenFinder, readAddedTokens } from "./tokenizer/added-tokens";
import { BytePairModel, type TokenizerModel } from "./tokenizer/bpe";
import type { ChatMessage, ChatOptions, RenderedChat } from "./tokenizer/chat";
import { templateOf } from "./tokenizer/chat-template";
import type { TextStream } from "./tokenizer/decoding";
import { type JsonObject, malformed, objectAt, tokenText, unknownPart } from "./tokenizer/json";
import { readSurroundings, type Surroundings } from "./tokenizer/post-processing";
import { createPreparation, type Preparation } from "./tokenizer/preparation";
import { TokenTexts } from "./tokenizer/token-texts";
import { UnigramModel } from "./tokenizer/unigram";
import { Vocabulary } from "./tokenizer/vocabulary";
import { WordPieceModel } from "./tokenizer/word-piece";

export type { ChatMessage, ChatOptions } from "./tokenizer/chat";
export type { TextStream } from "./tokenizer/decoding";

/** Options of `encode`. */
export interface EncodeOptions {
  /** Whether the tokens that the tokenizer puts around a text are added, such as the beginning of a sequence. Default true. */
  readonly addSpecialTokens?: boolean;
  /** Whether control tokens that the text names become them. Default false: they stay text. */
  readonly parseSpecialTokens?: boolean;
}

/** Options of `decode`. */
export interface DecodeOptions {
  /** Whether control tokens are left out. Default true. */
  readonly skipSpecial?: boolean;
}

/** Options of a stream of tokens. */
export interface TextStreamOptions extends DecodeOptions {
  /** Whether text stands before the stream: a first space is then kept where a tokenizer would take it away. Default false. */
  readonly isContinued?: boolean;
}

/** What a control token is for, as tokenizer_config.json names it. */
export type TokenRole = "bos" | "eos" | "unk" | "sep" | "pad" | "cls" | "mask";

/** Turns text into ids of tokens, and ids into text. */
export class Tokenizer {
  /** One more than the largest id. */
  readonly vocabulary: number;
  readonly #parts: TokenizerParts;

  /** @internal */
  constructor(parts: TokenizerParts) {
    this.#parts = parts;
    this.vocabulary = parts.texts.count;
  }

  /**
   * Ids of a text's tokens. An empty text has the special tokens around a text, or none.
   * @throws OctetteError "argument" where `text` is not a text.
   */
  encode(text: string, options: EncodeOptions = {}): Int32Array {
    checkOptions("encode", options, {
      addSpecialTokens: 1,
      parseSpecialTokens: 1,
    } satisfies Names<EncodeOptions>);
    if (typeof text !== "string")
      throw new OctetteError("not a text", { code: "argument", where: "encode", got: typeof text });
    const { addSpecialTokens = true, parseSpecialTokens = false } = options;
    return this.#encode(text, addSpecialTokens, parseSpecialTokens, (part) => part);
  }

  /**
   * Text of tokens. Bytes that are no UTF-8 become U+FFFD. The inverse of `encode` where nothing normalizes the text.
   * @throws OctetteError "argument" for an id without a token.
   */
  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    checkOptions("decode", options, { skipSpecial: 1 } satisfies Names<DecodeOptions>);
    const stream = this.stream(options);
    let text = "";
    for (const id of ids) text += stream.push(id);
    return text + stream.end();
  }

  /** Decodes tokens one by one, in whole characters. The joined pieces equal the result of `decode`. */
  stream(options: TextStreamOptions = {}): TextStream {
    checkOptions("stream", options, { skipSpecial: 1, isContinued: 1 } satisfies Names<TextStreamOptions>);
    const { skipSpecial = true, isContinued = false } = options;
    return this.#parts.texts.stream(skipSpecial, isContinued);
  }

  /**
   * A token as the vocabulary writes it.
   * @throws OctetteError "argument" for an id without a token.
   */
  tokenOf(id: number): string {
    return this.#parts.texts.tokenOf(id);
  }

  /** The id of a control token by its role, or of a token by its text; undefined when there is none. */
  specialId(name: TokenRole | (string & {})): number | undefined {
    return this.#parts.specialId(name);
  }

  /** @internal */
  get texts(): TokenTexts {
    return this.#parts.texts;
  }

  /** Whether an id belongs to a control token. */
  isSpecial(id: number): boolean {
    return this.#parts.texts.isSpecial(id);
  }

  /** Whether there is a template for chat. */
  get hasChatTemplate(): boolean {
    return templateOf(this.#parts.assets) !== undefined;
  }

  /**
   * Messages as the text that the model was trained on, control tokens written out.
   * @throws OctetteError "unsupported" without a template, "argument" for messages that are none or that the template refuses,
   * "limit" where the template does too much; FormatError where it is wrong.
   */
  async applyChatTemplate(messages: readonly ChatMessage[], options: ChatOptions = {}): Promise<string> {
    const { text, unmark } = await this.#render(messages, options);
    return unmark(text);
  }

  /** Ids of messages. Control tokens of the template are control tokens; those in a message stay text. Throws as applyChatTemplate. */
  async encodeChat(messages: readonly ChatMessage[], options: ChatOptions = {}): Promise<Int32Array> {
    const { text, unmark } = await this.#render(messages, options);
    return this.#encode(text, false, true, unmark);
  }

  async #render(messages: readonly ChatMessage[], options: ChatOptions): Promise<RenderedChat> {
    const { assets, controls } = this.#parts;
    const { renderChat } = await import("./tokenizer/chat");
    return renderChat(assets, messages, options, controls);
  }

  /** `unmark` gives text between control tokens back what must not be taken for one. */
  #encode(
    text: string,
    addSpecialTokens: boolean,
    parseSpecialTokens: boolean,
    unmark: (part: string) => string,
  ): Int32Array {
    const { preparation, model, surroundings, finders } = this.#parts;
    const { raw, normalized } = parseSpecialTokens ? finders.all : finders.plain;
    const ids: number[] = addSpecialTokens ? [...surroundings.before] : [];
    raw.split(text).forEach((part, i) => {
      if (typeof part === "number") {
        ids.push(part);
        return;
      }
      const words = preparation.normalize(unmark(part));
      normalized.split(words).forEach((piece, k) => {
        if (typeof piece === "number") ids.push(piece);
        else for (const word of preparation.split(piece, i === 0 && k === 0)) model.encode(word, ids);
      });
    });
    if (addSpecialTokens) ids.push(...surroundings.after);
    return Int32Array.from(ids);
  }
}

interface TokenizerParts {
  readonly assets: TextAssets;
  readonly texts: TokenTexts;
  readonly model: TokenizerModel;
  readonly preparation: Preparation;
  readonly surroundings: Surroundings;
  /** Added tokens that are found before and after normalizing; `plain`: without control tokens. */
  readonly finders: Readonly<
    Record<"all" | "plain", { readonly raw: AddedTokenFinder; readonly normalized: AddedTokenFinder }>
  >;
  /** Texts of control tokens. */
  readonly controls: readonly string[];
  specialId(name: string): number | undefined;
}

const models = { BPE: BytePairModel, Unigram: UnigramModel, WordPiece: WordPieceModel };

/**
 * A tokenizer from the text files of a folder, a GGUF file or an artifact.
 * @throws OctetteError "unsupported" where there is no tokenizer, or one with parts that octette does not have; FormatError where
 * its file is damaged.
 */
export async function createTokenizer(assets: TextAssets): Promise<Tokenizer> {
  const { tokenizer } = assets;
  if (tokenizer === undefined)
    throw new OctetteError("the model has no tokenizer", {
      code: "unsupported",
      expected: "tokenizer.json beside it",
      hint: "Pass ids of tokens, or put tokenizer.json into its folder",
    });
  try {
    return new Tokenizer(partsOf("tokenizer.json", assets, tokenizer));
  } catch (cause) {
    if (cause instanceof OctetteError) throw cause;
    throw new FormatError(`malformed tokenizer (${(cause as Error).message})`, { where: "tokenizer.json" });
  }
}

function partsOf(at: string, assets: TextAssets, json: JsonObject): TokenizerParts {
  const modelJson = objectAt(`${at}.model`, json.model);
  const type = modelType(modelJson);
  if (!Object.hasOwn(models, type))
    throw unknownPart(`${at}.model.type`, type, Object.keys(models).join(", "));
  const tokens = readAddedTokens(`${at}.added_tokens`, json.added_tokens);
  const vocabulary = new Vocabulary(`${at}.model`, modelJson, tokens);
  const model = new models[type as keyof typeof models](`${at}.model`, modelJson, vocabulary);
  const preparation = createPreparation(at, json);
  const surroundings = readSurroundings(at, json);
  for (const id of [...surroundings.before, ...surroundings.after])
    if (vocabulary.tokens[id] === undefined)
      throw malformed(`${at}.post_processor`, "ids of the vocabulary", id);
  const findersOf = (some: typeof tokens) => ({
    raw: new AddedTokenFinder(
      some.filter(({ isNormalized }) => !isNormalized),
      ({ content }) => content,
    ),
    normalized: new AddedTokenFinder(
      some.filter(({ isNormalized }) => isNormalized),
      ({ content }) => preparation.normalize(content),
    ),
  });
  const special = tokens.filter(({ isSpecial }) => isSpecial);
  const contents = new Map(tokens.map(({ content, id }) => [content, id]));
  const config = assets.tokenizerConfig ?? {};
  return {
    assets,
    texts: new TokenTexts(json, tokens, vocabulary.tokens.length, {
      has: (id) => vocabulary.tokens[id] !== undefined,
      get: (id) => vocabulary.tokens[id],
    }),
    model,
    preparation,
    surroundings,
    finders: { all: findersOf(tokens), plain: findersOf(tokens.filter(({ isSpecial }) => !isSpecial)) },
    controls: special.map(({ content }) => content),
    specialId(name) {
      const content = tokenText(config[`${name}_token`]) ?? name;
      return contents.get(content) ?? vocabulary.idOf(content);
    },
  };
}

/** Old files do not say which model they are of. */
function modelType(model: JsonObject): string {
  if (typeof model.type === "string") return model.type;
  if (Array.isArray(model.vocab)) return "Unigram";
  return model.merges !== undefined ? "BPE" : "WordPiece";
}
