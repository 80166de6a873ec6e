// The texts of tokens: what decoding takes of a tokenizer. They are those of a vocabulary that was read, or are looked up in its JSON,
// where no token is a string until it is decoded.

import { OctetteError } from "../../errors";
import { parsedText, type StoredTokenizer } from "../artifact-text";
import { type AddedToken, readAddedTokens } from "./added-tokens";
import { createDecoding, createTextStream, type Decoding, type TextStream } from "./decoding";
import { idAt, type JsonObject, MAX_VOCABULARY } from "./json";
import { tokenIn } from "./vocabulary";

const AT = "tokenizer.json";
const VOCAB = `${AT}.model.vocab`;
const NEW_LINE = 0x0a;

/** Texts by id, such as a Map. */
type TextsById = Pick<ReadonlyMap<number, string>, "has" | "get">;

/** What decoding takes of a tokenizer. */
export class TokenTexts {
  /** One more than the largest id. */
  readonly count: number;
  readonly #decoding: Decoding;
  readonly #special: ReadonlySet<number>;
  readonly #added: ReadonlySet<number>;
  readonly #texts: TextsById;

  /** `texts` are those of all tokens, added ones among them. */
  constructor(json: JsonObject, added: readonly AddedToken[], count: number, texts: TextsById) {
    this.count = count;
    this.#decoding = createDecoding(AT, json);
    this.#special = new Set(added.flatMap(({ id, isSpecial }) => (isSpecial ? [id] : [])));
    this.#added = new Set(added.map(({ id }) => id));
    this.#texts = texts;
  }

  /** The text of a token as the vocabulary writes it. Throws an OctetteError "argument" for an id without a token. */
  tokenOf(id: number): string {
    const token = this.#texts.get(id);
    if (token !== undefined) return token;
    throw new OctetteError("no token has this id", {
      code: "argument",
      where: "tokenizer",
      expected: `an id of the vocabulary, 0 to ${this.count - 1}`,
      got: String(id),
    });
  }

  /** Ids below `count` without a token: many models have more logits than tokens. */
  absent(count: number): number[] {
    const ids: number[] = [];
    for (let id = 0; id < count; id++) if (!this.#texts.has(id)) ids.push(id);
    return ids;
  }

  /** Decodes tokens one by one, in whole characters. */
  stream(skipSpecial: boolean, isContinued: boolean): TextStream {
    const tokenOf = (id: number) => {
      const text = this.tokenOf(id);
      return skipSpecial && this.isSpecial(id) ? undefined : { text, isAdded: this.#added.has(id) };
    };
    return createTextStream(this.#decoding, tokenOf, isContinued);
  }

  /** Whether an id belongs to a control token. */
  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }
}

/** The texts of a stored tokenizer; undefined where its vocabulary is not. Throws FormatError where it is damaged. */
export function storedTexts({ json, model, tensors }: StoredTokenizer): TokenTexts | undefined {
  const vocab = tensors.get(model.vocab as string);
  if (!vocab) return undefined;
  const ends = lineEnds(vocab);
  const lineOf = (id: number) => vocab.subarray(id > 0 ? ends[id - 1]! + 1 : 0, ends[id] ?? 0);
  const added = readAddedTokens(`${AT}.added_tokens`, json.added_tokens);
  const contents = new Map(added.map(({ id, content }) => [id, content]));
  const count = added.reduce((most, { id }) => Math.max(most, id + 1), ends.length);
  return new TokenTexts(json, added, count, {
    has: (id) => contents.has(id) || lineOf(id).length > 0,
    get(id) {
      const line = lineOf(id);
      if (contents.has(id) || line.length === 0) return contents.get(id);
      return tokenIn(parsedText(line, `${VOCAB}[${id}]`), VOCAB, id);
    },
  });
}

/** Where the line of each id ends. */
function lineEnds(text: Uint8Array): Int32Array {
  const ends = new Int32Array(MAX_VOCABULARY);
  let count = 0;
  for (let at = text.indexOf(NEW_LINE); at >= 0; at = text.indexOf(NEW_LINE, at + 1))
    ends[idAt(VOCAB, count++)] = at;
  return ends.subarray(0, count);
}
