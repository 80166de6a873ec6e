// Encoders of 8 bits: int8 weights with a scale a row, u8 activations with a scale a token, attention in floats. Nothing is calibrated,
// as every scale is that of the weights or found when a text is run; what it gives is compared with what its source gives.

import { createModel, type Model } from "../../engine/model";
import { OctetteError } from "../../errors";
import type { LanguageFacts, LanguageGraph } from "../../formats/language-source";
import type { Graph } from "../../graph/graph";
import { Random } from "../../graph/random";
import type { Constant, Tensor } from "../../graph/tensor";
import { Encoder } from "../../text/encoder";
import { createTokenizer } from "../../text/tokenizer";
import { idsOf } from "./calibration";
import { codedConstants, plainCodes } from "./coded-block";
import type { ForwardOptions } from "./forward";
import { type CodedGraph, codedGraph } from "./recipe";
import { windowsOf, windowTokens } from "./windows";
import type { Workspace } from "./workspace";

/** How near the results of a quantized encoder are to the float encoder's. */
export interface Similarity {
  /** Texts that both were run on. */
  readonly texts: number;
  /** Cosine of the angle between both results of a text: the mean over texts, and the least. */
  readonly cosine: { readonly mean: number; readonly least: number };
  /** Whether the texts were random tokens, as none were given. */
  readonly isRandom: boolean;
}

/** Texts that are compared at most. */
const MOST_TEXTS = 256;
/** Random texts where none are given, and their tokens at most. */
const [RANDOM_TEXTS, RANDOM_TOKENS] = [16, 32];

export interface EncoderWork extends ForwardOptions {
  readonly source: LanguageGraph;
  readonly workspace: Workspace;
}

export interface CodedEncoder {
  readonly coded: CodedGraph;
  /** Elements of its constants. */
  readonly codes: ReadonlyMap<string, Tensor>;
}

/** Whether a source is an encoder. */
export const isEncoder = ({ text }: LanguageGraph): boolean =>
  text.facts !== undefined && text.facts.task !== "next-token";

/** Codes of an encoder; floats of one constant are in memory at a time. Told after each: `onConstant`. */
export async function codedEncoder(
  { source, workspace, toolkit, pause }: EncoderWork,
  naive: boolean,
  onConstant: () => Promise<void>,
): Promise<CodedEncoder> {
  const coded = codedGraph(source.graph, { bits: 8, naive }, toolkit.ops);
  const quantize = plainCodes(workspace, naive);
  const codes = new Map<string, Tensor>();
  for (const [name, constant] of source.graph.constants) {
    const float = constant.data ? (constant as Tensor) : await source.read(name);
    const one = { constants: new Map([[name, constant]]) };
    const made = codedConstants(one, coded.weights, new Map([[name, float]]), quantize);
    for (const [own, tensor] of made) codes.set(own, tensor);
    await onConstant();
    await pause();
  }
  return { coded, codes };
}

/** Compares an encoder of codes with its source. `given` are lines of a text, or tokens. Told after each text: `onText`. */
export async function similarityOf(
  work: EncoderWork,
  { coded, codes }: CodedEncoder,
  given: string | ArrayLike<number> | undefined,
  seed: number,
  onText: () => Promise<void>,
): Promise<Similarity> {
  const { source } = work;
  const texts = await textsOf(source, given, seed);
  const floats = new Map<string, Tensor>();
  for (const [name, constant] of source.graph.constants)
    floats.set(name, constant.data ? (constant as Tensor) : await source.read(name));
  // One model after the other: no more than one of them is in memory.
  const expected = await resultsOf(work, source.graph, floats, texts, onText);
  floats.clear();
  const made = await resultsOf(work, coded.graph, codes, texts, onText);
  const cosines = made.map((result, i) => cosineOf(result, expected[i]!));
  return {
    texts: texts.length,
    cosine: {
      mean: cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length,
      least: cosines.reduce((least, cosine) => Math.min(least, cosine), 1),
    },
    isRandom: given === undefined,
  };
}

async function resultsOf(
  { source, toolkit, threads, pause }: EncoderWork,
  graph: Graph<Constant>,
  constants: ReadonlyMap<string, Tensor>,
  texts: readonly Int32Array[],
  onText: () => Promise<void>,
): Promise<Float32Array[]> {
  const facts = source.text.facts as LanguageFacts;
  const tokens = texts.reduce((most, { length }) => Math.max(most, length), 1);
  const own = new Map([...graph.constants.keys()].map((name) => [name, constants.get(name)!]));
  const model: Model = await createModel({ ...graph, constants: own }, toolkit.ops, toolkit.engine, {
    maxima: { batch: 1, tokens },
    maxBytes: Infinity,
    threads,
  });
  try {
    const encoder = new Encoder(model, facts, tokens, source.graph.name);
    return await encoder.run(texts, facts.task, {
      async onProgress() {
        await onText();
        await pause();
      },
    });
  } finally {
    model.dispose();
  }
}

/** The texts to compare on, as ids. */
async function textsOf(
  source: LanguageGraph,
  given: string | ArrayLike<number> | undefined,
  seed: number,
): Promise<Int32Array[]> {
  const { graph, text } = source;
  const { maxPositions } = text.facts as LanguageFacts;
  const table = graph.nodes.find(({ op, inputs }) => op === "Gather" && inputs[1] === "ids");
  const vocabulary = graph.constants.get(table?.inputs[0] ?? "")?.shape[0] ?? 1;
  if (given === undefined) {
    const random = new Random(seed);
    const most = Math.min(RANDOM_TOKENS, maxPositions);
    return Array.from({ length: RANDOM_TEXTS }, (_, i) =>
      Int32Array.from({ length: 1 + Math.floor((i * most) / RANDOM_TEXTS) }, () => random.below(vocabulary)),
    );
  }
  const texts =
    typeof given === "string"
      ? await linesOf(given, source)
      : windowsOf(await idsOf(given, text, vocabulary, "evaluation"), windowTokens(source), MOST_TEXTS);
  const known = texts.filter(({ length }) => length > 0).map((ids) => ids.subarray(0, maxPositions));
  if (known.length > 0) return known.slice(0, MOST_TEXTS);
  throw new OctetteError("the text is too short", {
    code: "argument",
    where: "evaluation",
    expected: "at least one line",
  });
}

async function linesOf(given: string, { text }: LanguageGraph): Promise<Int32Array[]> {
  const tokenizer = await createTokenizer(text);
  const lines = given.split(/\r?\n/).filter((line) => line.trim() !== "");
  return lines.slice(0, MOST_TEXTS).map((line) => tokenizer.encode(line));
}

/** Sums are of doubles, in order. Two results of zeros are alike. */
function cosineOf(a: Float32Array, b: Float32Array): number {
  let [products, left, right] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    products += a[i]! * b[i]!;
    left += a[i]! * a[i]!;
    right += b[i]! * b[i]!;
  }
  return left === 0 && right === 0 ? 1 : products / Math.sqrt(left * right || 1);
}
