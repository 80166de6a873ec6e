// octette/text: language models. Loads folders of Hugging Face, GGUF files and artifacts; generates, embeds, classifies, measures.

export { FormatError, OctetteError } from "../errors";
export type {
  BlockCodes,
  EmbeddingLayer,
  EmbeddingSettings,
  LanguageFacts,
  LanguageGraph,
  LanguageSource,
  SourceTensor,
  TextAssets,
} from "../formats/language-source";
export type { LongCallOptions, Progress } from "../long-call";
export type { Classification, Texts } from "./encoder";
export type { GenerateOptions } from "./generate-options";
export type { LanguageMemory, LanguageModel } from "./language-model";
export type {
  GeneratedToken,
  GenerationEnd,
  LanguageSession,
  PrefillOptions,
  Prompt,
} from "./language-session";
export { type LoadLanguageOptions, loadLanguageModel } from "./load-language-model";
export type { LanguageModelSource } from "./open-language";
export { type Perplexity, type PerplexityOptions, perplexity } from "./perplexity";
export type { SamplingOptions } from "./sampling/options";
export type { TokenChoice } from "./sampling/sampler";
export {
  type ChatMessage,
  type ChatOptions,
  createTokenizer,
  type DecodeOptions,
  type EncodeOptions,
  type TextStream,
  type TextStreamOptions,
  type Tokenizer,
  type TokenRole,
} from "./tokenizer";
