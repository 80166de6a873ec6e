// Small tokenizers of every kind, made with the reference implementation (Python's tokenizers 0.23.2) on verses of the King James
// Bible, and what it makes of some texts with its option `encode_special_tokens` (plain) and without (parsed).

import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Vocabulary {
  readonly tokens: readonly string[];
  readonly scores?: readonly number[];
  /** Ids of the two tokens of each merge. */
  readonly merges?: readonly (readonly [number, number])[];
}

interface Case {
  readonly plain: readonly number[];
  /** Where they differ from `plain`. */
  readonly parsed?: readonly number[];
  /** What the plain ids give, and the parsed with control tokens, where they differ from the text. */
  readonly decoded?: string;
  readonly all?: string;
}

interface Made {
  readonly texts: readonly string[];
  readonly vocabularies: Readonly<Record<string, Vocabulary>>;
  readonly tokenizers: readonly {
    readonly name: string;
    readonly json: Readonly<Record<string, unknown>>;
    readonly model: Readonly<Record<string, unknown>>;
    readonly vocabulary: string;
    /** Ids of the empty text with the tokens around it. */
    readonly empty: readonly number[];
    readonly cases: readonly Case[];
  }[];
}

const made: Made = JSON.parse(readFileSync(join(import.meta.dirname, "made-tokenizers.json"), "utf8"));
export const { texts } = made;

/** tokenizer.json of each, and the cases in the order of `texts`. */
export const madeTokenizers = made.tokenizers.map(({ name, json, model, vocabulary, empty, cases }) => {
  const { tokens, scores, merges } = made.vocabularies[vocabulary]!;
  const vocab = scores
    ? tokens.map((token, id) => [token, scores[id]])
    : Object.fromEntries(tokens.map((token, id) => [token, id]));
  const pairs = merges?.map(([left, right]) => [tokens[left], tokens[right]]);
  return {
    name,
    tokenizer: { ...json, model: { ...model, vocab, ...(pairs ? { merges: pairs } : {}) } },
    empty,
    cases,
  };
});

/** tokenizer.json by its name. */
export const madeTokenizer = (name: string): Record<string, unknown> =>
  structuredClone(madeTokenizers.find((made) => made.name === name)!.tokenizer);
