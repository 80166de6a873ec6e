// octette quantize FOLDER or MODEL.gguf: a language model becomes an artifact of int8 or int4 weights. Loaded only for those.

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { EmbeddingSettings } from "../formats/language-source";
import {
  type QuantizableLanguage,
  type QuantizeLanguageSummary,
  quantizeLanguageModel,
} from "../quantize/language/index";
import { WINDOW } from "../quantize/language/windows";
import type { Context } from "./command";
import { UsageError } from "./options";
import { formatBytes, formatDuration, formatPercent } from "./terminal";
import { idsIn, textIn } from "./texts";

/** Options of a language model. */
export interface LanguageValues {
  readonly output: string;
  readonly bits?: number;
  readonly calibrate?: string;
  readonly weights?: string;
  readonly large?: boolean;
  readonly naive?: boolean;
  readonly eval?: string;
  readonly context?: number;
  readonly pooling?: EmbeddingSettings["pooling"];
  readonly seed?: number;
  readonly threads?: number;
}

/** What `--calibrate` says for text that the model writes itself. */
const SELF = "self";

/** Quantizes the language model at a path, and tells how far it is from its source. */
export async function quantizeLanguageFile(
  path: string,
  values: LanguageValues,
  context: Context,
): Promise<void> {
  const { output, bits, calibrate = SELF, weights, large, naive, eval: evaluation, seed, threads } = values;
  if (bits !== undefined && bits !== 8 && bits !== 4)
    throw new UsageError(`--bits of a language model must be 8 or 4, got ${bits}`);
  if (large && bits !== 4) throw new UsageError("--large is of --bits 4");
  if (naive && bits === 4) throw new UsageError("--naive is of --bits 8");
  await context.checkOutput(output);
  const source = weights === undefined ? path : await withWeights(path, weights);
  const done = await quantizeLanguageModel(source, {
    ...{ bits, large, naive, seed, threads, output },
    maxTokens: values.context,
    pooling: values.pooling,
    calibration: calibrate === SELF ? undefined : await textOf(calibrate),
    evaluation: evaluation === undefined ? undefined : await textOf(evaluation),
    signal: context.signal,
    onProgress: timed(context),
  }).catch((error) => {
    context.progress.end();
    const parts = `${output}.parts`;
    if (context.signal.aborted && existsSync(parts))
      context.log(`${parts} has what is done: the same command goes on from there`);
    throw error;
  });
  context.progress.end();
  const { contentHash, size, summary } = done;
  context.print({ model: path, output, contentHash, bytes: size, summary }, () => [
    ...summaryText(summary, context),
    `${path} → ${output} (${formatBytes(size)})`,
  ]);
}

/** The folder's files with another one for its weights. */
async function withWeights(folder: string, weights: string): Promise<QuantizableLanguage> {
  const files = await readdir(folder, { recursive: true });
  const kept = files.filter((file) => !/\.(safetensors|safetensors\.index\.json)$/.test(file));
  return Object.fromEntries([
    ...kept.map((file) => [file, join(folder, file)] as const),
    ["model.safetensors", weights],
  ]);
}

/** A text, or ids where the file is an array of them. */
const textOf = (path: string) => (path.endsWith(".npy") ? idsIn(path) : textIn(path));

/** Shows progress with the time that is left of a stage. */
function timed({ progress }: Context) {
  let begun = { stage: "", done: 0, at: 0 };
  return ({ stage, done, total }: { stage: string; done: number; total?: number | undefined }) => {
    const now = performance.now();
    if (begun.stage !== stage) begun = { stage, done, at: now };
    const steps = done - begun.done;
    const seconds = (now - begun.at) / 1000;
    const left = total !== undefined && steps > 0 ? (seconds / steps) * (total - done) : undefined;
    progress.update(stage, done, total, left === undefined ? undefined : `${formatDuration(left)} left`);
  };
}

function summaryText(summary: QuantizeLanguageSummary, { table }: Context): string[] {
  const { weights, foldedBy, calibrationTokens, windowTokens, agreement, similarity, isOnCalibrationText } =
    summary;
  const count = (bits: number) => weights.filter((weight) => weight.bits === bits).length;
  const kinds = [4, 8].filter((bits) => count(bits) > 0).map((bits) => `${count(bits)} of ${bits} bits`);
  if (similarity) {
    const { texts, cosine, isRandom } = similarity;
    return [
      `cosine similarity to the float model: mean ${cosine.mean.toFixed(5)}, least ${cosine.least.toFixed(5)}, of ${texts} ${isRandom ? "texts of random tokens (--eval FILE: lines of a file)" : "texts"}`,
      `weights: ${kinds.join(", ")}`,
    ];
  }
  const { tokens, kld, top1, perplexity } = agreement!;
  const isCut = windowTokens !== undefined && windowTokens < WINDOW;
  const rows = [
    ["float", perplexity.float.toFixed(3), "", ""],
    ["quantized", perplexity.quantized.toFixed(3), kld.toFixed(4), formatPercent(100 * top1, 1)],
  ];
  const fold = foldedBy === undefined ? "norms not folded" : `norms folded by ${foldedBy}`;
  return [
    ...table([`on ${tokens} tokens`, "perplexity", "KLD", "same top token"], rows, "lrrr"),
    "",
    `weights: ${kinds.join(", ")}; ${fold}; calibrated by ${calibrationTokens} tokens`,
    ...(isCut
      ? [`Text was read in windows of ${windowTokens} tokens: the model has no more positions.`]
      : []),
    ...(isOnCalibrationText
      ? ["The text was too short to hold a part of it out: these are figures of the text itself."]
      : []),
  ];
}
