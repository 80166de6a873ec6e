// The tokens of a GGUF file, what each is, and which stand for what.

import { FormatError } from "../../errors";
import type { GgufKeys } from "./keys";

type GgufSettings = Record<string, unknown>;

/** What a token is, by the numbers in tokenizer.ggml.token_type. */
export const UNKNOWN = 2;
export const CONTROL = 3;
const USER_DEFINED = 4;
export const BYTE = 6;

export interface TokenTable {
  readonly keys: GgufKeys;
  readonly tokens: readonly string[];
  readonly types: ArrayLike<number>;
  idOf(role: string): number | undefined;
}

export function tableOf(keys: GgufKeys, vocabulary: number): TokenTable {
  const tokens = keys.texts("tokenizer.ggml.tokens");
  if (tokens === undefined)
    throw new FormatError('has no key "tokenizer.ggml.tokens"', { where: keys.where });
  if (tokens.length > vocabulary)
    throw keys.wrong("tokenizer.ggml.tokens", `at most ${vocabulary} tokens, the embedding's rows`, tokens);
  const types = keys.numbers("tokenizer.ggml.token_type") ?? new Int32Array(tokens.length).fill(1);
  if (types.length !== tokens.length)
    throw keys.wrong("tokenizer.ggml.token_type", `${tokens.length} numbers`, types);
  return {
    keys,
    tokens,
    types,
    idOf(role) {
      const key = `tokenizer.ggml.${role}_token_id`;
      const id = keys.number(key);
      if (id === undefined) return undefined;
      // Some files say −1 or 2^32 − 1 where there is none.
      if (id === -1 || id === 2 ** 32 - 1) return undefined;
      if (tokens[id] === undefined) throw keys.wrong(key, `an id below ${tokens.length}`, id);
      return id;
    },
  };
}

export interface Made {
  readonly tokenizer: GgufSettings;
  /** Whether texts begin with the token for that, where no key says so. */
  readonly addsBos: boolean;
}

/** Control tokens, and plain ones that are found before a text is split. */
export function addedTokens({ tokens, types }: TokenTable): GgufSettings[] {
  const added: GgufSettings[] = [];
  for (let id = 0; id < tokens.length; id++) {
    const type = types[id];
    if (type !== CONTROL && type !== USER_DEFINED && type !== UNKNOWN) continue;
    if (tokens[id] === "") continue;
    added.push({
      id,
      content: tokens[id],
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: type !== USER_DEFINED,
    });
  }
  return added;
}

/** Ids by tokens; of two that are alike, the first is the one. */
export function vocabOf(tokens: readonly string[]): Record<string, number> {
  const vocab = Object.create(null) as Record<string, number>;
  for (let id = 0; id < tokens.length; id++) vocab[tokens[id]!] ??= id;
  return vocab;
}
