// Vocabularies that encoders have: WordPiece, whose tokens begin with "▁" where a word begins, and SentencePiece's unigrams.

import { OctetteError } from "../../errors";
import { addedTokens, CONTROL, type Made, type TokenTable, UNKNOWN, vocabOf } from "./token-table";

/** BERT's vocabulary. Texts become lower case where no token has a capital letter: no key says it. */
export function wordPiece(table: TokenTable): Made {
  const { keys, types, idOf } = table;
  const tokens = table.tokens.map((token, id) => {
    if (types[id] === CONTROL || types[id] === UNKNOWN) return token;
    return token.startsWith("▁") ? token.slice(1) : `##${token}`;
  });
  const unknown = idOf("unknown") ?? tokens.indexOf("[UNK]");
  if (unknown < 0) throw keys.missing("tokenizer.ggml.unknown_token_id");
  const isCased = tokens.some((token, id) => types[id] === 1 && /[A-Z]/.test(token));
  const tokenizer = {
    version: "1.0",
    added_tokens: addedTokens({ ...table, tokens }),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: !isCased,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: tokens[unknown],
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: vocabOf(tokens),
    },
  };
  return { tokenizer, addsBos: true };
}

/** XLM-RoBERTa's vocabulary: scores, and a table of characters by which texts are normalized. */
export function unigram(table: TokenTable): Made {
  const { keys, tokens, types, idOf } = table;
  const scores = keys.numbers("tokenizer.ggml.scores");
  if (scores?.length !== tokens.length)
    throw keys.wrong("tokenizer.ggml.scores", `${tokens.length} numbers`, scores);
  for (const key of ["add_space_prefix", "remove_extra_whitespaces"].map((end) => `tokenizer.ggml.${end}`))
    if (keys.flag(key) !== true)
      throw new OctetteError(`${key} has a value that octette does not have`, {
        code: "unsupported",
        where: keys.where,
        expected: "true",
        got: String(keys.flag(key)),
        hint: "Put tokenizer.json of the model's folder beside it",
      });
  const isNormalized = keys.value("tokenizer.ggml.precompiled_charsmap") !== undefined;
  const unknown = idOf("unknown") ?? Array.from(types).indexOf(UNKNOWN);
  const space = { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true };
  const tokenizer = {
    version: "1.0",
    added_tokens: addedTokens(table),
    normalizer: isNormalized ? { type: "Precompiled" } : null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "WhitespaceSplit" }, space] },
    decoder: { ...space, split: undefined },
    model: {
      type: "Unigram",
      unk_id: unknown < 0 ? null : unknown,
      byte_fallback: false,
      vocab: tokens.map((token, id) => [token, scores[id]]),
    },
  };
  return { tokenizer, addsBos: true };
}
