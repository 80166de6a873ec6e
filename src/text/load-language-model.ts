// Loads a language model to run: opens it, builds its graph, compiles that, and puts weights to their place one after another.

import { draftModel, Model, prepareDraft } from "../engine/model";
import { withRunSizes } from "../engine/planner";
import { type ByteReader, read } from "../engine/source";
import type { EngineClass } from "../engine/wasm";
import { FormatError, OctetteError } from "../errors";
import { type GiveWay, givingWay } from "../event-loop";
import { streamArtifact } from "../formats/artifact-stream";
import type {
  EmbeddingSettings,
  LanguageFacts,
  LanguageSource,
  TextAssets,
} from "../formats/language-source";
import type { Graph } from "../graph/graph";
import { createSha256 } from "../graph/sha256";
import { bytesIn, bytesPerElement, type Constant, sizeOf } from "../graph/tensor";
import { verify } from "../graph/verify";
import { LONG_CALL, type LongCallOptions } from "../long-call";
import { checkOptions, type Names } from "../options";
import { groups } from "../runtime/core-groups";
import { openText } from "./artifact-text";
import { bindCache } from "./builder/cache";
import { LanguageModel } from "./language-model";
import { checkMaxTokens, checkWhole } from "./max-tokens";
import { type LanguageModelSource, openLanguage } from "./open-language";

/** What to do where an artifact is for shorter texts. */
const FOR_FEWER =
  "Quantize it for longer texts, where it can take them: { maxTokens }, or octette quantize --context N";
/** Default limit of tokens of a text. */
const DEFAULT_MAX_TOKENS = 2048;
const DEFAULT_CHUNK = 64;

/** Options of `loadLanguageModel`. */
export interface LoadLanguageOptions extends LongCallOptions {
  /**
   * Most tokens of a text, prompt and answer together: memory for them is planned beforehand. Default: what the model was made for, at
   * most 2048.
   */
  readonly maxTokens?: number | undefined;
  /** Tokens of a prompt that are read at once; results do not depend on it. Default 64. */
  readonly chunk?: number | undefined;
  /** Threads that share the large steps, with the same bytes for any number; default 1. */
  readonly threads?: number | undefined;
  /** Most memory it may take, in bytes or as a size such as "640MB"; default 1 GiB. */
  readonly maxBytes?: number | string | undefined;
  /** Kernels to run; default the fastest that the engine computes right. */
  readonly engineClass?: EngineClass | undefined;
  /** Where the file of `octette/worker.js` is served, as in octette/runtime. Default: the script as the package carries it. */
  readonly worker?: URL | string | undefined;
  /** Name of the family by whose rules a folder is read. Default: `model_type` of its config.json. */
  readonly family?: string | undefined;
  /**
   * How the states of all tokens become an embedding, in place of what a folder says, or where it says nothing. Default: as it says.
   */
  readonly pooling?: EmbeddingSettings["pooling"] | undefined;
}

const LOAD = {
  ...LONG_CALL,
  maxTokens: 1,
  chunk: 1,
  threads: 1,
  maxBytes: 1,
  engineClass: 1,
  worker: 1,
  family: 1,
  pooling: 1,
} satisfies Names<LoadLanguageOptions>;

/**
 * Loads a language model: a folder of Hugging Face, a GGUF file or an artifact. Weights are read one by one and kept in the model's
 * memory only. Throws FormatError where a file is damaged, OctetteError "unsupported" where the model has what octette does not know,
 * "limit" where it would take more than `maxBytes`.
 */
export async function loadLanguageModel(
  source: LanguageModelSource,
  options: LoadLanguageOptions = {},
): Promise<LanguageModel> {
  checkOptions("loadLanguageModel", options, LOAD);
  checkWhole("loadLanguageModel, maxTokens", options.maxTokens);
  checkWhole("loadLanguageModel, chunk", options.chunk);
  // The class is fixed from here on: weights are packed once and not kept.
  groups.engine.settle();
  const opened = await openLanguage(source, options.signal);
  if ("artifact" in opened) return loadArtifact(opened.artifact, opened.where, options);
  try {
    return await loadSource(opened.source, options);
  } finally {
    await opened.source.close();
  }
}

/** A graph, and the sizes it is compiled for. */
interface Sized {
  readonly graph: Graph<Constant>;
  readonly text: TextAssets;
  readonly facts: LanguageFacts;
  readonly maxTokens: number;
  readonly chunk: number;
}

function sized(
  graph: Graph<Constant>,
  text: TextAssets,
  options: LoadLanguageOptions,
  where: string,
  hint?: string,
): Sized {
  const { facts } = text;
  if (!facts)
    throw new FormatError("not a language model", {
      where,
      expected: "an artifact of a language model",
      hint: "Make one with octette quantize FOLDER -o MODEL.octette",
    });
  const maxTokens = options.maxTokens ?? Math.min(facts.maxPositions, DEFAULT_MAX_TOKENS);
  checkMaxTokens(maxTokens, facts, "loadLanguageModel", hint);
  const chunk = Math.min(options.chunk ?? DEFAULT_CHUNK, maxTokens);
  const isDecoder = facts.task === "next-token";
  return { graph: isDecoder ? bindCache(graph, { maxTokens, chunk }) : graph, text, facts, maxTokens, chunk };
}

/** Compiles a graph for its sizes and takes memory for it; the weights are put to its loader. */
async function compiled(
  { graph, facts, chunk, maxTokens }: Sized,
  options: LoadLanguageOptions,
): Promise<Model> {
  await groups.loadFor(graph);
  const isDecoder = facts.task === "next-token";
  const maxima: Readonly<Record<string, number>> = isDecoder
    ? { tokens: chunk, rows: 1 }
    : { batch: 1, tokens: Math.min(chunk, maxTokens) };
  const { threads, maxBytes, engineClass, worker } = options;
  const modelOptions = {
    maxima,
    threads,
    maxBytes,
    ...(engineClass && { engineClass }),
    ...(worker && { worker }),
  };
  const draft = await withRunSizes(
    () => draftModel(graph, groups.ops, groups.engine, modelOptions),
    () => groups.loadSizes(),
  );
  await prepareDraft(groups.engine, draft);
  return new Model(graph, groups.ops, groups.engine, modelOptions, draft);
}

async function loadSource(source: LanguageSource, options: LoadLanguageOptions): Promise<LanguageModel> {
  const { where } = source;
  const { maxTokens, family, pooling, signal, onProgress } = options;
  const { buildLater } = await import("./builder/build-later");
  const built = await buildLater(source, {
    ...(maxTokens !== undefined && { length: maxTokens }),
    ...(family !== undefined && { family }),
    ...(pooling !== undefined && { pooling }),
  });
  const parts = sized(built.graph, built.text, options, where);
  const model = await compiled(parts, options);
  try {
    const giveWay = givingWay(signal);
    const hash = createSha256().update(new TextEncoder().encode(JSON.stringify(built.graph.nodes)));
    const missing = [...built.graph.constants].filter(([, { data }]) => !data);
    const bytesOf = ({ dtype, shape }: Constant) => bytesPerElement[dtype] * sizeOf(shape);
    const total = missing.reduce((sum, [, constant]) => sum + bytesOf(constant), 0);
    let done = 0;
    for (const [name, constant] of missing) {
      const bytes = bytesIn((await built.read(name)).data);
      hash.update(bytes);
      model.loader.put(name, bytes);
      done += bytesOf(constant);
      await onProgress?.({ stage: "load", done, total });
      await giveWay();
    }
    await model.started;
    return new LanguageModel(model, { ...parts, where, hash: hash.digest() });
  } catch (cause) {
    model.dispose();
    throw cause;
  }
}

async function loadArtifact(
  reader: ByteReader,
  where: string,
  options: LoadLanguageOptions,
): Promise<LanguageModel> {
  if (options.pooling !== undefined)
    throw new OctetteError("an artifact has the pooling it was made with", {
      code: "argument",
      where: `${where}, pooling`,
      hint: "octette quantize FOLDER --pooling mean",
    });
  let loaded: { readonly model: Model; readonly language: LanguageModel } | undefined;
  try {
    await read(
      streamArtifact(
        function* ({ graph: whole, text = "{}", contentHash: hash }) {
          const { assets, stored } = openText(text, whole.constants, where);
          const graph = without(whole, stored?.tensors);
          const parts = sized(graph, assets, options, where, FOR_FEWER);
          yield compiled(parts, options).then((model) => {
            loaded = { model, language: new LanguageModel(model, { ...parts, stored, where, hash }) };
          });
          const { loader } = loaded!.model;
          return {
            placeOf: (name) => loader.placeOf(name),
            put(name, bytes) {
              if (stored?.tensors.has(name)) stored.tensors.set(name, bytes);
              else loader.put(name, bytes);
            },
          };
        },
        where,
        reader.size,
      ),
      telling(reader, options),
    );
    await loaded!.model.started;
    return loaded!.language;
  } catch (cause) {
    loaded?.model.dispose();
    throw cause;
  }
}

/** A graph without constants that are texts. Throws an OctetteError where a node reads one. */
function without(graph: Graph<Constant>, texts: ReadonlyMap<string, unknown> | undefined): Graph<Constant> {
  if (!texts) return graph;
  const rest = { ...graph, constants: new Map([...graph.constants].filter(([name]) => !texts.has(name))) };
  verify(rest);
  return rest;
}

/** The reader, which tells how far it is and gives way to the event loop. */
function telling(reader: ByteReader, { onProgress, signal }: LongCallOptions): ByteReader {
  const giveWay: GiveWay = givingWay(signal);
  let done = 0;
  return {
    ...reader,
    async read(target) {
      await giveWay();
      const count = await reader.read(target);
      done += count;
      await onProgress?.({ stage: "load", done, total: reader.size });
      return count;
    },
  };
}
