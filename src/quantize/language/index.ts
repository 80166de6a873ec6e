// Quantizes a language model: W8 or W4 weights, u8 activations of each token, int8 caches. Works block by block, so that neither its
// weights nor its activations are in memory at once, and keeps finished blocks, so that work that was interrupted goes on.

import { threadsHere } from "../../engine/threads";
import { OctetteError } from "../../errors";
import { givingWay } from "../../event-loop";
import { checkWritable } from "../../files/write-file";
import type { LanguageGraph } from "../../formats/language-source";
import type { Graph } from "../../graph/graph";
import type { LongCallOptions, Progress } from "../../long-call";
import { inferTypes } from "../../ops/infer";
import { checkOptions } from "../../options";
import { type Toolkit, type ToolkitOptions, toolkitIn } from "../../toolkit/toolkit";
import { type Calibration, calibrationOf, idsOf, ownCalibration } from "./calibration";
import { foldIn, foldTensors, textIn, textTensors } from "./choices";
import { type FoldChoice, NO_FOLD } from "./coded-block";
import { codedEncoder, isEncoder, similarityOf } from "./encoder";
import { agreementOf, batchesOf } from "./evaluate-language";
import { chooseFold, gateBlocks } from "./fold-gate";
import { keptIn } from "./kept-codes";
import { keyOf } from "./key";
import { blockPart, writeLayers } from "./layer-codes";
import { openSource, type QuantizableLanguage } from "./open-source";
import { checkRecipe, OPTIONS, type QuantizedLanguageModel, type QuantizeLanguageOptions } from "./options";
import { type KeptParts, partsBeside, partsInMemory } from "./parts";
import type { CodedGraph, KeptCodes } from "./recipe";
import { someOf, windowsOf, windowTokens } from "./windows";
import { inRecipe, type Work } from "./work";
import { prepareWorkspace, Workspace } from "./workspace";
import { writeModel } from "./write-model";

export type { QuantizableLanguage } from "./open-source";
export type {
  QuantizedLanguageModel,
  QuantizeLanguageOptions,
  QuantizeLanguageSummary,
} from "./options";

/** Windows that a fold is chosen by. */
const GATE_WINDOWS = 8;
/** Windows of a report's text that are read at most. */
const MOST_EVALUATED = 4096;
/** Default number of threads. */
const MOST_THREADS = 4;

/**
 * Quantizes a language model, a folder of Hugging Face or a GGUF file, to 8 or 4 bits: weights as codes, activations as codes of each
 * token, an int8 cache. Encoders have 8 bits, and need no text. Equal sources, texts and options give equal bytes on every engine. With
 * `output`, work that was interrupted on a decoder goes on where it was. See QuantizeLanguageOptions.
 * @throws OctetteError "argument" where an option does not fit, "unsupported" where its layers cannot be told apart.
 */
export async function quantizeLanguageModel(
  model: QuantizableLanguage,
  options: QuantizeLanguageOptions & ToolkitOptions = {},
): Promise<QuantizedLanguageModel> {
  const [toolkit, own] = toolkitIn<QuantizeLanguageOptions>(options);
  checkOptions("quantizeLanguageModel", own, OPTIONS);
  const { bits = 8, large = false, naive = false } = own;
  checkRecipe(bits, large, naive);
  if (own.output !== undefined) await checkWritable(own.output);
  const { source, close } = await openSource(model, own);
  try {
    const done = isEncoder(source) ? quantizedEncoder : quantized;
    return await done(source, own, toolkit);
  } finally {
    await close();
  }
}

async function quantized(
  source: LanguageGraph,
  options: QuantizeLanguageOptions,
  toolkit: Toolkit,
): Promise<QuantizedLanguageModel> {
  const { bits = 8, large = false, naive = false, floatCache = false, output } = options;
  const common = await commonWork(source, options, toolkit);
  const eight = inRecipe(common, { bits: 8, floatCache });
  // Without `bits`, codes of the source are kept.
  const isKeeping = options.bits === undefined && !naive;
  const kept = isKeeping ? await keptIn(source, eight.vocabulary) : new Map<string, KeptCodes>();
  const work = inRecipe(common, { bits, large, naive, floatCache, kept });
  const draft = bits === 8 && kept.size === 0 ? work : eight;
  const key = await keyOf(source, options);
  const parts = output === undefined ? partsInMemory() : await partsBeside(output, key);
  const { calibration, fold } = await prepared(work, draft, parts, options);
  await writeLayers(work, fold, calibration.kept, parts, steps(options, "quantize", work.blocks.length));
  const codesOf = async (i: number) => (await parts.read(blockPart(i)))!;
  const measured = await measuredBy(work, calibration, options);
  const rounds = batchesOf(work, measured.windows).length * work.blocks.length;
  const agreement = await agreementOf(work, codesOf, measured.windows, steps(options, "evaluate", rounds));
  const written = await writeModel(
    work,
    codesOf,
    provenanceOf(work, fold, calibration, options),
    output,
    options.signal,
  );
  await parts.clear();
  return {
    ...written,
    summary: {
      bits,
      weights: weightsIn(work.coded),
      ...(fold.sixteenths > 0 ? { foldedBy: fold.sixteenths / 16 } : {}),
      calibrationTokens: tokensIn(calibration.kept),
      windowTokens: windowTokens(source),
      agreement,
      isOnCalibrationText: measured.windows === calibration.kept,
    },
  };
}

/** What is done with an encoder. */
async function quantizedEncoder(
  source: LanguageGraph,
  options: QuantizeLanguageOptions,
  toolkit: Toolkit,
): Promise<QuantizedLanguageModel> {
  const { naive = false, seed = 0, output, signal } = options;
  if (options.bits === 4)
    throw new OctetteError("an encoder of 4 bits", {
      code: "unsupported",
      where: "quantizeLanguageModel, bits",
      expected: "8, or none said",
    });
  const work = await commonWork(source, options, toolkit);
  const made = await codedEncoder(work, naive, steps(options, "quantize", source.graph.constants.size));
  const texts = options.evaluation ?? options.calibration;
  const similarity = await similarityOf(work, made, texts, seed, steps(options, "evaluate"));
  const { coded, codes } = made;
  const provenance = {
    ...source.graph.provenance,
    quantization: { bits: 8, naive, weights: coded.weights.size },
  };
  const blocks = { source, coded, codedBlocks: [{ graph: coded.graph }] };
  const written = await writeModel(blocks, async () => codes, provenance, output, signal);
  return {
    ...written,
    summary: {
      ...{ bits: 8, weights: weightsIn(coded), similarity },
      ...{ calibrationTokens: 0, isOnCalibrationText: false },
    },
  };
}

/** What all work on a source has. */
async function commonWork(source: LanguageGraph, options: QuantizeLanguageOptions, toolkit: Toolkit) {
  await prepareWorkspace();
  const threads = options.threads ?? Math.min(MOST_THREADS, threadsHere().threads);
  return { toolkit, threads, source, pause: givingWay(options.signal), workspace: new Workspace() };
}

const weightsIn = ({ weights }: CodedGraph) =>
  [...weights.values()].map(({ name, bits, n, k }) => ({ name, shape: [n, k], bits }));

const tokensIn = (windows: readonly Int32Array[]) => windows.reduce((sum, { length }) => sum + length, 0);

/** Tells of each of so many steps. */
function steps({ onProgress }: LongCallOptions, stage: string, total?: number): () => Promise<void> {
  let done = 0;
  return async () => void (await onProgress?.({ stage, done: ++done, total } satisfies Progress));
}
/** The calibration text and the fold that were chosen, now or before an interruption. */
async function prepared(
  work: Work,
  draft: Work,
  parts: KeptParts,
  options: QuantizeLanguageOptions,
): Promise<{ calibration: Calibration; fold: FoldChoice }> {
  const calibration = textIn(await parts.read("text")) ?? (await calibrated(work, draft, options));
  await parts.write("text", textTensors(calibration));
  const hasKept = (work.recipe.kept?.size ?? 0) > 0;
  if (work.recipe.naive || hasKept) return { calibration, fold: NO_FOLD };
  const known = foldIn(await parts.read("fold"));
  if (known) return { calibration, fold: known };
  const { bits } = work.recipe;
  const onBlock = steps(options, "calibrate", gateBlocks(draft, bits));
  const { fold } = await chooseFold(draft, bits, someOf(calibration.kept, GATE_WINDOWS), onBlock);
  await parts.write("fold", foldTensors(fold));
  return { calibration, fold };
}

async function calibrated(
  work: Work,
  draft: Work,
  { calibration, seed = 0, onProgress }: QuantizeLanguageOptions,
): Promise<Calibration> {
  if (calibration !== undefined)
    return calibrationOf(
      await tokensOf(work, calibration, "calibration"),
      windowTokens(work.source),
      "calibration",
    );
  return ownCalibration(draft, work.recipe.bits, seed, async (done, total) => {
    await onProgress?.({ stage: "write text", done, total });
  });
}

/** The windows that the report is of. */
async function measuredBy(
  work: Work,
  { kept, held }: Calibration,
  { evaluation }: QuantizeLanguageOptions,
): Promise<{ windows: readonly Int32Array[] }> {
  if (evaluation === undefined) return { windows: held.length > 0 ? held : kept };
  const ids = await tokensOf(work, evaluation, "evaluation");
  const windows = windowsOf(ids, windowTokens(work.source), MOST_EVALUATED);
  if (windows.length > 0) return { windows };
  throw new OctetteError("the text is too short", {
    code: "argument",
    where: "evaluation",
    expected: "at least 2 tokens",
  });
}

const tokensOf = ({ source, toolkit }: Work, text: string | ArrayLike<number>, where: string) => {
  const { graph } = source;
  const { shape } = inferTypes(graph, toolkit.ops).get(graph.outputs[0]!)!;
  return idsOf(text, source.text, Number(shape.at(-1)), where);
};

/** What the artifact says of how it was made. */
function provenanceOf(
  { source, recipe, coded }: Work,
  { sixteenths }: FoldChoice,
  { kept }: Calibration,
  { calibration, seed = 0 }: QuantizeLanguageOptions,
): Graph["provenance"] {
  const { bits, large, naive } = recipe;
  const own = calibration === undefined ? { calibration: "self", seed } : { calibration: "text" };
  const done = { bits, large, naive, ...own, calibrationTokens: tokensIn(kept), foldedBy: sixteenths / 16 };
  return { ...source.graph.provenance, quantization: { ...done, weights: coded.weights.size } };
}
