// Text that a language model writes itself, to calibrate it where there is no other: sampled at temperature 1 from its int8 form,
// which fits in memory where its floats do not.

import { draftModel, Model, prepareDraft } from "../../engine/model";
import { Random } from "../../graph/random";
import { bytesIn, type Constant, isVector, type Tensor } from "../../graph/tensor";
import { bindCache } from "../../text/builder/cache";
import { Cache, Decoder } from "../../text/decoder";
import { samplingOf } from "../../text/sampling/options";
import { Sampler } from "../../text/sampling/sampler";
import { codedConstants, codedTokenMatrices, plainCodes, readLayers } from "./coded-block";
import { windowTokens } from "./windows";
import type { Work } from "./work";

/** What text begins with, where a model says so, in the order in which it is looked for. */
const FIRST = ["bos_token_id", "eos_token_id"];

/**
 * So many windows of text. Each begins with the token that texts begin with, or with any one. Told after each window: `onWindow`.
 */
export async function writeText(
  work: Work,
  count: number,
  seed: number,
  onWindow: () => Promise<void>,
): Promise<Int32Array[]> {
  const tokens = windowTokens(work.source);
  const model = await loadCoded(work, tokens);
  try {
    const decoder = new Decoder(model, tokens, 1);
    const { vocabulary } = decoder;
    const sampler = new Sampler(
      samplingOf({ temperature: 1, seed }, {}, vocabulary),
      vocabulary,
      work.source.graph.name,
    );
    const random = new Random(seed);
    const first = firstToken(work, vocabulary);
    const logits = new Float32Array(vocabulary);
    const history = { seen: new Set<number>(), generated: new Map<number, number>() };
    const windows: Int32Array[] = [];
    while (windows.length < count) {
      const cache = new Cache();
      const ids = new Int32Array(tokens);
      ids[0] = first ?? random.below(vocabulary);
      for (let at = 1; at < tokens; at++) {
        decoder.run(cache, ids.subarray(at - 1, at), logits);
        ids[at] = sampler.sample(logits, history).token;
        await work.pause();
      }
      decoder.close(cache);
      windows.push(ids);
      await onWindow();
    }
    return windows;
  } finally {
    model.dispose();
  }
}

function firstToken({ source }: Work, vocabulary: number): number | undefined {
  const settings = source.text.generationConfig ?? {};
  const ids = FIRST.flatMap((name) => settings[name] ?? []);
  return ids.find((id): id is number => Number.isInteger(id) && Number(id) >= 0 && Number(id) < vocabulary);
}

/**
 * The whole model of codes, for texts of so many tokens. Weights are quantized twice: first for the vectors that kernels' arguments depend
 * on, then matrix by matrix. No matrix is in memory but where it is packed.
 */
async function loadCoded(work: Work, maxTokens: number): Promise<Model> {
  const { ops, engine } = work.toolkit;
  const constants = new Map<string, Constant>();
  await eachCoded(work, (name, tensor) => {
    const { dtype, shape } = tensor;
    constants.set(name, isVector(shape) ? tensor : { dtype, shape, isNarrow: true });
  });
  const graph = { ...bindCache(work.coded.graph, { maxTokens, chunk: 1 }), constants };
  const options = {
    maxima: { tokens: 1, rows: 1, cache: maxTokens },
    maxBytes: Infinity,
    threads: work.threads,
  };
  const draft = draftModel(graph, ops, engine, options);
  await prepareDraft(engine, draft);
  const model = new Model(graph, ops, engine, options, draft);
  await eachCoded(work, (name, { shape, data }) => {
    if (!isVector(shape)) model.loader.put(name, bytesIn(data));
  });
  await model.started;
  return model;
}

/** Visits the constants of codes, each once. */
async function eachCoded(work: Work, visit: (name: string, tensor: Tensor) => void): Promise<void> {
  const seen = new Set<string>();
  for (const i of work.blocks.keys()) {
    const float = await readLayers(work, i);
    const quantize = plainCodes(work.workspace, false);
    const codes = codedConstants(work.codedBlocks[i]!.graph, work.coded.weights, float, quantize);
    for (const [name, tensor] of [...codes, ...(await codedTokenMatrices(work, i))]) {
      if (!seen.has(name)) visit(name, tensor);
      seen.add(name);
    }
    await work.pause();
  }
}
