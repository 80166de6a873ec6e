// How byte-level vocabularies split a text before they merge: regular expressions by the names that llama.cpp gives them
// (llama-vocab.cpp), one applied after the other.

import { OctetteError } from "../../errors";

/** What splits a text, and what else goes by its name. */
export interface PreTokenizer {
  readonly patterns: readonly string[];
  /** Whether a piece that is a token stays whole, whatever merges say. */
  readonly ignoresMerges?: true;
  /** Whether texts begin with the token for that, where no key says so. */
  readonly addsBos?: true;
}

const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)";
const CONTRACTIONS = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const WORDS = `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+`;
const REST = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const REST_WITH_SLASH = REST.replace("[\\r\\n]*", "[\\r\\n/]*");
const UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const CASED = (end: string) =>
  `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+${end}|[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*${end}`;

const gpt2: PreTokenizer = { patterns: [`${GPT2}|\\s+`] };
const digitByDigit: PreTokenizer = { patterns: ["\\p{N}", `${GPT2}|\\s+`] };
const llama3: PreTokenizer = {
  patterns: [`${WORDS}|\\p{N}{1,3}|${REST}`],
  ignoresMerges: true,
  addsBos: true,
};
const threeDigits: PreTokenizer = { patterns: llama3.patterns };
const qwen2: PreTokenizer = { patterns: [`${WORDS}|\\p{N}|${REST}`] };
const punctuated: PreTokenizer = {
  patterns: ["[\\p{P}\\$\\+<=>\\^~\\|]+", `${GPT2}`, "\\p{N}+", "[0-9][0-9][0-9]"],
};
const falcon: PreTokenizer = {
  patterns: ["[\\p{P}\\$\\+<=>\\^~\\|`]+", `${GPT2}|\\s+`, "[0-9][0-9][0-9]"],
};
const bloom: PreTokenizer = { patterns: [" ?[^(\\s|.,!?…。，、।۔،)]+"] };
const seedCoder: PreTokenizer = {
  patterns: [`${WORDS}|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`],
};
const ASCII_MARK = "[!-/:-@\\[-`{-~]";
const deepseek3: PreTokenizer = {
  patterns: [
    "\\p{N}{1,3}",
    "[一-龥぀-ゟ゠-ヿ]+",
    `${ASCII_MARK}[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
  ],
};

const preTokenizers: Readonly<Record<string, PreTokenizer>> = {
  default: punctuated,
  "gpt-2": gpt2,
  "phi-2": gpt2,
  "modern-bert": gpt2,
  "roberta-bpe": gpt2,
  mpt: gpt2,
  olmo: gpt2,
  jais: gpt2,
  exaone4: gpt2,
  falcon,
  bloom,
  "seed-coder": seedCoder,
  "deepseek-v3": deepseek3,
  "hunyuan-dense": deepseek3,
  hunyuan: qwen2,
  "llama-bpe": llama3,
  "llama-v3": llama3,
  llama3,
  falcon3: llama3,
  "falcon-h1": llama3,
  pixtral: llama3,
  lfm2: llama3,
  "midm-2.0": llama3,
  dbrx: threeDigits,
  smaug: threeDigits,
  "smaug-bpe": threeDigits,
  glm4: threeDigits,
  "chatglm-bpe": threeDigits,
  qwen2,
  "deepseek-r1-qwen": qwen2,
  stablelm2: qwen2,
  megrez: qwen2,
  smollm: digitByDigit,
  starcoder: digitByDigit,
  refact: digitByDigit,
  "command-r": digitByDigit,
  codeshell: digitByDigit,
  exaone: digitByDigit,
  tekken: { patterns: [`${CASED("")}|\\p{N}|${REST_WITH_SLASH}`], ignoresMerges: true, addsBos: true },
  "gpt-4o": {
    patterns: [`${CASED(`${CONTRACTIONS}?`)}|\\p{N}{1,3}|${REST_WITH_SLASH}`],
  },
};

/** By the key tokenizer.ggml.pre. Throws OctetteError "unsupported" for one that octette does not know. */
export function preTokenizerOf(name: string, where: string): PreTokenizer {
  if (Object.hasOwn(preTokenizers, name)) return preTokenizers[name]!;
  throw new OctetteError("a pre-tokenizer that octette does not have", {
    code: "unsupported",
    where: `${where}, tokenizer.ggml.pre`,
    expected: Object.keys(preTokenizers).join(", "),
    got: name,
    hint: "Put tokenizer.json of the model's folder beside it",
  });
}
