// octette/quantize-language: a folder of Hugging Face or a GGUF file becomes an artifact for octette/text.

export { FormatError, OctetteError } from "./errors";
export type { LongCallOptions, Progress } from "./long-call";
export type { Agreement } from "./quantize/language/agreement";
export type { Similarity } from "./quantize/language/encoder";
export {
  type QuantizableLanguage,
  type QuantizedLanguageModel,
  type QuantizeLanguageOptions,
  type QuantizeLanguageSummary,
  quantizeLanguageModel,
} from "./quantize/language/index";
export type { Toolkit, ToolkitOptions } from "./toolkit/toolkit";
