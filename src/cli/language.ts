// Language models of commands: what is one, how it is loaded, and the options that generating commands share.

import { open, stat } from "node:fs/promises";
import { MAX_SAFETENSORS_HEADER_BYTES } from "../formats/safetensors-header";
import type { LanguageModel, LoadLanguageOptions } from "../text/index";
import type { Context } from "./command";
import { keepNewSpaceSmall } from "./heap";
import { MAX_BYTES, numberFrom, SEED, THREADS, text, wholeNumber } from "./options";

export const MODEL_HELP =
  "MODEL is a folder of Hugging Face, a GGUF file, or an .octette made of one of them.";

/** Of loading a language model. */
export const LOADING = {
  context: wholeNumber(1, "most tokens of a text, prompt and answer (default: the model's, at most 2048)"),
  threads: THREADS,
  "max-bytes": MAX_BYTES,
};

/** Of choosing tokens. */
export const SAMPLING_OPTIONS = {
  "max-tokens": wholeNumber(0, "most tokens to generate (default: as many as there is room for)"),
  temperature: numberFrom(0, Infinity, "0 takes the most likely token (default: as the model says, else 0)"),
  "top-k": wholeNumber(0, "draw among the K most likely tokens; 0: all"),
  "top-p": numberFrom(0, 1, "draw among the most likely tokens of this probability together; 1: all"),
  "min-p": numberFrom(0, 1, "leave out tokens less likely than this share of the most likely; 0: none"),
  "typical-p": numberFrom(0, 1, "draw among tokens of typical surprise; 1: all"),
  "repetition-penalty": numberFrom(0, Infinity, "divide logits of tokens in the text; 1: none"),
  "presence-penalty": numberFrom(-Infinity, Infinity, "taken from logits of generated tokens; 0: none"),
  "frequency-penalty": numberFrom(-Infinity, Infinity, "the same for each time; 0: none"),
  seed: SEED,
  stop: { ...text("TEXT", "end before this text; may be given several times"), multiple: true as const },
};

type SamplingValues = {
  readonly [K in keyof typeof SAMPLING_OPTIONS]?: K extends "stop" ? readonly string[] : number;
};

/** Options of `generate` as a command line gives them. */
export const samplingIn = (values: SamplingValues) => ({
  maxTokens: values["max-tokens"],
  temperature: values.temperature,
  topK: values["top-k"],
  topP: values["top-p"],
  minP: values["min-p"],
  typicalP: values["typical-p"],
  repetitionPenalty: values["repetition-penalty"],
  presencePenalty: values["presence-penalty"],
  frequencyPenalty: values["frequency-penalty"],
  seed: values.seed,
  stop: values.stop,
});

/** Loading that is over sooner is not told of, in milliseconds. */
const PATIENCE = 500;

/** Loads a language model, and shows how far it is where that takes time. */
export async function loadLanguage(
  path: string,
  options: LoadLanguageOptions,
  { longCall, progress }: Pick<Context, "longCall" | "progress">,
): Promise<LanguageModel> {
  keepNewSpaceSmall();
  const { loadLanguageModel } = await import("../text/index");
  const { signal, onProgress } = longCall;
  const begin = performance.now();
  try {
    return await loadLanguageModel(path, {
      ...options,
      signal,
      onProgress: (how) => performance.now() - begin > PATIENCE && onProgress?.(how),
    });
  } finally {
    progress.end();
  }
}

/** Bytes that a GGUF file begins with. */
const GGUF = "GGUF";
const MARK_BYTES = 9;

/** The kind of file or folder at a path, as far as commands tell them apart. What cannot be read is left to whoever reads it. */
async function kindAt(path: string): Promise<"source" | "artifact" | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory()) return "source";
  if (!info?.isFile()) return undefined;
  const file = await open(path);
  try {
    const first = Buffer.alloc(MARK_BYTES);
    await file.read(first, 0, first.length, 0);
    if (first.toString("latin1", 0, GGUF.length) === GGUF) return "source";
    const length = Number(first.readBigUInt64LE(0));
    if (first[8] !== 0x7b || length > MAX_SAFETENSORS_HEADER_BYTES) return undefined;
    const header = Buffer.alloc(length);
    await file.read(header, 0, length, 8);
    const { __metadata__: metadata } = JSON.parse(header.toString()) as {
      __metadata__?: { format?: string; text?: string };
    };
    return metadata?.format === "octette" && metadata.text !== undefined ? "artifact" : undefined;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

/** Whether a path is that of a language model: a folder, a GGUF file, an artifact with text. */
export const isLanguageModel = async (path: string): Promise<boolean> => (await kindAt(path)) !== undefined;

/** Whether it is one that can be quantized: a folder or a GGUF file. */
export const isLanguageSource = async (path: string): Promise<boolean> => (await kindAt(path)) === "source";

/** Says why a model ran on fewer threads than asked for. */
export function noteLanguageThreads(
  { engine }: LanguageModel,
  asked: number | undefined,
  { log }: Context,
): void {
  if (asked === undefined || engine.threads >= asked) return;
  log(`Ran on ${engine.threads} of ${asked} threads: ${engine.threadsReason}.`);
}
