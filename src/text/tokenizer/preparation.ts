// What is done to a text before it becomes tokens: normalizers and pre-tokenizers, by @huggingface/tokenizers. Parts that the
// library reads otherwise than the reference implementation (github.com/huggingface/tokenizers, in Rust) are said to it in other
// words; parts that it does not have are refused by name.

import { SequenceNormalizer, SequencePreTokenizer } from "@huggingface/tokenizers";
import { OctetteError } from "../../errors";
import {
  type JsonObject,
  malformed,
  patternAt,
  type TokenizerPart,
  textAt,
  tokenizerParts,
  unknownPart,
} from "./json";

/** What a text goes through before the model. */
export interface Preparation {
  normalize(text: string): string;
  /** Pieces for the model, one by one. `isFirst`: whether this part begins the text. */
  split(text: string, isFirst: boolean): readonly string[];
}

const NORMALIZERS = [
  "BertNormalizer",
  "Lowercase",
  "NFC",
  "NFD",
  "NFKC",
  "NFKD",
  "Precompiled",
  "Prepend",
  "Replace",
  "Strip",
  "StripAccents",
];

/** What GPT-2 splits by, as Oniguruma has it. */
export const GPT2_PATTERN =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

const isolated = (pattern: string): JsonObject => ({
  type: "Split",
  pattern: { Regex: pattern },
  behavior: "Isolated",
  invert: false,
});
const matched = (pattern: string): JsonObject => ({
  type: "Split",
  pattern: { Regex: pattern },
  behavior: "Removed",
  invert: true,
});

function splitAs({ at, json }: TokenizerPart): readonly JsonObject[] {
  const pattern = patternAt(`${at}.pattern`, json.pattern);
  const other = `(?!${`(?:${pattern})`})[\\s\\S]`;
  const isInverted = json.invert === true;
  const behavior = String(json.behavior).toLowerCase();
  if (behavior === "isolated") return [isolated(pattern)];
  if (behavior === "removed")
    return [isInverted ? matched(pattern) : { ...isolated(pattern), behavior: "Removed" }];
  if (isInverted) throw unknownPart(`${at}.behavior`, json.behavior, '"Removed" or "Isolated" beside invert');
  if (behavior === "mergedwithprevious") return [isolated(`(?:${other})*(?:${pattern})`)];
  if (behavior === "mergedwithnext") return [isolated(`(?:${pattern})(?:${other})*`)];
  if (behavior === "contiguous") return [isolated(`(?:${pattern})+`)];
  throw malformed(
    `${at}.behavior`,
    "Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous",
    behavior,
  );
}

function metaspaceAs({ at, json }: TokenizerPart): readonly JsonObject[] {
  const replacement = textAt(`${at}.replacement`, json.replacement ?? "▁");
  const scheme = json.prepend_scheme ?? (json.add_prefix_space === false ? "never" : "always");
  if (scheme !== "always" && scheme !== "never" && scheme !== "first")
    throw malformed(`${at}.prepend_scheme`, '"always", "never" or "first"', scheme);
  const space: JsonObject = { type: "Metaspace", replacement, str_rep: replacement, prepend_scheme: scheme };
  const pattern = patternAt(at, { String: replacement });
  return json.split === false ? [space] : [space, isolated(`${pattern}(?:(?!${pattern})[\\s\\S])*`)];
}

/** What the library is told of one pre-tokenizer. */
const preTokenizers: Readonly<Record<string, (part: TokenizerPart) => readonly JsonObject[]>> = {
  BertPreTokenizer: ({ json }) => [json],
  Digits: ({ json }) => [json],
  FixedLength: ({ json }) => [json],
  Punctuation: ({ json }) => [json],
  WhitespaceSplit: () => [matched("\\S+")],
  Whitespace: () => [matched("\\w+|[^\\w\\s]+")],
  ByteLevel: ({ json }) =>
    json.use_regex === false || json.add_prefix_space === true
      ? [json]
      : [isolated(GPT2_PATTERN), { ...json, use_regex: false }],
  Split: splitAs,
  CharDelimiterSplit: ({ at, json }) => [
    { ...isolated(patternAt(at, { String: json.delimiter })), behavior: "Removed" },
  ],
  Metaspace: metaspaceAs,
};

/** Of tokenizer.json, whose path is `at`. */
export function createPreparation(at: string, json: JsonObject): Preparation {
  const normalizers = tokenizerParts(`${at}.normalizer`, json.normalizer, "normalizers").map((part) => {
    if (!NORMALIZERS.includes(String(part.json.type)))
      throw unknownPart(`${part.at}.type`, part.json.type, NORMALIZERS.join(", "));
    if (part.json.type === "Prepend") textAt(`${part.at}.prepend`, part.json.prepend);
    if (part.json.type === "Replace") {
      patternAt(`${part.at}.pattern`, part.json.pattern);
      textAt(`${part.at}.content`, part.json.content);
    }
    return part.json;
  });
  const parts = tokenizerParts(`${at}.pre_tokenizer`, json.pre_tokenizer, "pretokenizers").flatMap((part) => {
    const type = String(part.json.type);
    if (!Object.hasOwn(preTokenizers, type))
      throw unknownPart(`${part.at}.type`, type, Object.keys(preTokenizers).join(", "));
    return preTokenizers[type]!(part);
  });
  const { normalizer, preTokenizer } = inLibrary(at, normalizers, parts);
  return {
    normalize: (text) => (text === "" ? text : normalizer.normalize(text)),
    split(text, isFirst) {
      if (text === "") return [];
      if (parts.length === 0) return [text];
      return preTokenizer.pre_tokenize(text, { section_index: isFirst ? 0 : 1 });
    },
  };
}

/** Only these two parts of the library are used; its models and decoders stay out of the bundle. */
function inLibrary(
  at: string,
  normalizers: readonly JsonObject[],
  pretokenizers: readonly JsonObject[],
): { readonly normalizer: SequenceNormalizer; readonly preTokenizer: SequencePreTokenizer } {
  const type = "Sequence";
  try {
    return {
      normalizer: new SequenceNormalizer({ type, normalizers } as unknown as NormalizerConfig),
      preTokenizer: new SequencePreTokenizer({ type, pretokenizers } as unknown as PreTokenizerConfig),
    };
  } catch (cause) {
    throw new OctetteError(`tokenizer cannot be made (${(cause as Error).message})`, {
      code: "format",
      where: at,
    });
  }
}

type NormalizerConfig = ConstructorParameters<typeof SequenceNormalizer>[0];
type PreTokenizerConfig = ConstructorParameters<typeof SequencePreTokenizer>[0];
