// Vocabularies of GGUF files as tokenizer.json, tokenizer_config.json and generation_config.json: byte-level BPE ("gpt2"), whose merges
// the file lists, SentencePiece's BPE ("llama"), whose merges follow from scores, its unigrams ("t5"), and WordPiece ("bert").

import { FormatError, OctetteError } from "../../errors";
import type { TextAssets } from "../language-source";
import { unigram, wordPiece } from "./encoder-vocabularies";
import type { GgufKeys } from "./keys";
import { mergesOf } from "./merges";
import { type PreTokenizer, preTokenizerOf } from "./pre-tokenizers";
import {
  addedTokens,
  BYTE,
  CONTROL,
  type Made,
  type TokenTable,
  tableOf,
  UNKNOWN,
  vocabOf,
} from "./token-table";

type GgufSettings = Record<string, unknown>;

/** A token's names: in the file, in tokenizer_config.json, in generation_config.json. */
const ROLES = [
  ["bos", "bos_token", "bos_token_id"],
  ["eos", "eos_token", "eos_token_id"],
  ["unknown", "unk_token", undefined],
  ["seperator", "sep_token", undefined],
  ["padding", "pad_token", "pad_token_id"],
  ["mask", "mask_token", undefined],
  ["cls", "cls_token", undefined],
] as const;
/** Further tokens at which an answer ends. */
const ENDS = ["eot", "eom"];

/** The text assets of a file whose model has `vocabulary` tokens. Empty where the file has no tokenizer. */
export function textAssetsOf(keys: GgufKeys, vocabulary: number, isEncoder = false): TextAssets {
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
    tokenizer: { ...tokenizer, post_processor: around(table, addsBos, isEncoder) },
    tokenizerConfig: { ...config, ...(template === undefined ? {} : { chat_template: template }) },
    generationConfig: generation,
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

/** Tokens before and after a text. Encoders have both where no key says so. */
function around({ keys, tokens, idOf }: TokenTable, addsBos: boolean, isEncoder: boolean): GgufSettings {
  const [begins, ends] = ["bos", "eos"].map((role) => keys.flag(`tokenizer.ggml.add_${role}_token`));
  const hasBoth = isEncoder && begins === undefined && ends === undefined;
  const roleOf = (role: string, ofEncoders: string) => {
    const named = tokens.indexOf(`[${role === "bos" ? "CLS" : "SEP"}]`);
    return isEncoder ? (idOf(ofEncoders) ?? idOf(role) ?? (named < 0 ? undefined : named)) : idOf(role);
  };
  const bos = (begins ?? (addsBos || hasBoth)) ? roleOf("bos", "cls") : undefined;
  const eos = (ends ?? hasBoth) ? roleOf("eos", "seperator") : undefined;
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

const kinds: Readonly<Record<string, (table: TokenTable) => Made>> = {
  bert: wordPiece,
  gpt2: byteLevel,
  llama: sentencePiece,
  t5: unigram,
};

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
