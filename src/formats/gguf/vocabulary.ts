// Vocabularies of GGUF files as tokenizer.json, tokenizer_config.json and generation_config.json: byte-level BPE ("gpt2"), whose merges
// the file lists, and SentencePiece's BPE ("llama"), whose merges follow from scores.

import { FormatError, OctetteError } from "../../errors";
import type { TextAssets } from "../../text/source";
import type { GgufKeys } from "./keys";
import { mergesOf } from "./merges";
import { type PreTokenizer, preTokenizerOf } from "./pre-tokenizers";

type GgufSettings = Record<string, unknown>;

/** What a token is, by the numbers in tokenizer.ggml.token_type. */
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const BYTE = 6;

/** A token's names: in the file, in tokenizer_config.json, in generation_config.json. */
const ROLES = [
  ["bos", "bos_token", "bos_token_id"],
  ["eos", "eos_token", "eos_token_id"],
  ["unknown", "unk_token", undefined],
  ["seperator", "sep_token", undefined],
  ["padding", "pad_token", "pad_token_id"],
  ["mask", "mask_token", undefined],
] as const;
/** Further tokens at which an answer ends. */
const ENDS = ["eot", "eom"];

interface TokenTable {
  readonly keys: GgufKeys;
  readonly tokens: readonly string[];
  readonly types: ArrayLike<number>;
  idOf(role: string): number | undefined;
}

/** The text assets of a file whose model has `vocabulary` tokens. Empty where the file has no tokenizer. */
export function textAssetsOf(keys: GgufKeys, vocabulary: number): TextAssets {
  const model = keys.text("tokenizer.ggml.model") ?? "none";
  if (model === "none" || model === "no_vocab") return {};
  const kind = Object.hasOwn(kinds, model) ? kinds[model] : undefined;
  if (kind === undefined)
    throw new OctetteError("a kind of vocabulary that octette does not have", {
      code: "unsupported",
      where: `${keys.where}, tokenizer.ggml.model`,
      expected: Object.keys(kinds).join(", "),
      got: model,
    });
  const table = tableOf(keys, vocabulary);
  const { tokenizer, addsBos } = kind(table);
  const config: GgufSettings = {};
  const generation: GgufSettings = {};
  for (const [role, token, setting] of ROLES) {
    const id = table.idOf(role);
    if (id === undefined) continue;
    config[token] = table.tokens[id];
    if (setting !== undefined) generation[setting] = id;
  }
  const ends = [table.idOf("eos"), ...ENDS.map((role) => table.idOf(role))];
  const eos = [...new Set(ends.filter((id) => id !== undefined))];
  if (eos.length > 0) generation.eos_token_id = eos.length === 1 ? eos[0] : eos;
  const template = templatesOf(keys);
  return {
    tokenizer: { ...tokenizer, post_processor: around(table, addsBos) },
    tokenizerConfig: { ...config, ...(template === undefined ? {} : { chat_template: template }) },
    generationConfig: generation,
  };
}

function tableOf(keys: GgufKeys, vocabulary: number): TokenTable {
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

/** A template alone, or all with their names. */
function templatesOf(keys: GgufKeys): unknown {
  const own = keys.text("tokenizer.chat_template");
  const names = keys.texts("tokenizer.chat_templates") ?? [];
  const named = names.flatMap((name) => {
    const template = keys.text(`tokenizer.chat_template.${name}`);
    return template === undefined ? [] : [{ name, template }];
  });
  if (named.length === 0) return own;
  return own === undefined ? named : [{ name: "default", template: own }, ...named];
}

/** Tokens before and after a text. */
function around({ keys, tokens, idOf }: TokenTable, addsBos: boolean): GgufSettings {
  const bos = (keys.flag("tokenizer.ggml.add_bos_token") ?? addsBos) ? idOf("bos") : undefined;
  const eos = keys.flag("tokenizer.ggml.add_eos_token") ? idOf("eos") : undefined;
  const items = [bos, "text", eos].filter((item) => item !== undefined);
  const special = (id: number) => ({ id: tokens[id], ids: [id], tokens: [tokens[id]] });
  return {
    type: "TemplateProcessing",
    single: items.map((item) =>
      typeof item === "number"
        ? { SpecialToken: { id: tokens[item], type_id: 0 } }
        : { Sequence: { id: "A", type_id: 0 } },
    ),
    pair: [],
    special_tokens: Object.fromEntries(
      items.filter((item) => typeof item === "number").map((id) => [tokens[id], special(id)]),
    ),
  };
}

interface Made {
  readonly tokenizer: GgufSettings;
  /** Whether texts begin with the token for that, where no key says so. */
  readonly addsBos: boolean;
}

const kinds: Readonly<Record<string, (table: TokenTable) => Made>> = {
  gpt2: byteLevel,
  llama: sentencePiece,
};

/** Control tokens, and plain ones that are found before a text is split. */
function addedTokens({ tokens, types }: TokenTable): GgufSettings[] {
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
function vocabOf(tokens: readonly string[]): Record<string, number> {
  const vocab = Object.create(null) as Record<string, number>;
  for (let id = 0; id < tokens.length; id++) vocab[tokens[id]!] ??= id;
  return vocab;
}

function byteLevel(table: TokenTable): Made {
  const { keys, tokens } = table;
  const pre: PreTokenizer = preTokenizerOf(keys.text("tokenizer.ggml.pre") ?? "default", keys.where);
  const merges = keys.texts("tokenizer.ggml.merges");
  if (merges === undefined)
    throw new FormatError('has no key "tokenizer.ggml.merges"', { where: keys.where });
  const split = (pattern: string) => ({
    type: "Split",
    pattern: { Regex: pattern },
    behavior: "Isolated",
    invert: false,
  });
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false };
  const tokenizer = {
    version: "1.0",
    added_tokens: addedTokens(table),
    normalizer: null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [...pre.patterns.map(split), bytes] },
    decoder: bytes,
    model: {
      type: "BPE",
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: pre.ignoresMerges === true,
      vocab: vocabOf(tokens),
      merges,
    },
  };
  return { tokenizer, addsBos: pre.addsBos === true };
}

function sentencePiece(table: TokenTable): Made {
  const { keys, tokens, types, idOf } = table;
  const isPiece = (id: number) => types[id] !== CONTROL && types[id] !== UNKNOWN && types[id] !== BYTE;
  const scores = keys.numbers("tokenizer.ggml.scores");
  if (scores?.length !== tokens.length)
    throw keys.wrong("tokenizer.ggml.scores", `${tokens.length} numbers`, scores);
  const hasPrefix = keys.flag("tokenizer.ggml.add_space_prefix") ?? true;
  const spaces = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const unknown = idOf("unknown") ?? (types[0] === UNKNOWN ? 0 : undefined);
  const tokenizer = {
    version: "1.0",
    added_tokens: addedTokens(table),
    normalizer: hasPrefix
      ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, spaces] }
      : spaces,
    pre_tokenizer: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(hasPrefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: "BPE",
      unk_token: unknown === undefined ? null : tokens[unknown],
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: vocabOf(tokens),
      merges: mergesOf(tokens, isPiece, scores, keys.where),
    },
  };
  return { tokenizer, addsBos: true };
}
