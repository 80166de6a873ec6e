// A language model's settings and tensors to a graph. Switches are chosen by settings and by which tensors are there; what neither of
// them says is looked up by the name of the family. A setting or tensor that nothing reads is an error that names it.

import { OctetteError } from "../../errors";
import { isJsonObject } from "../../formats/json";
import type { Graph } from "../../graph/graph";
import type { Constant } from "../../graph/tensor";
import { checkOptions, type Names } from "../../options";
import type { EmbeddingSettings, LanguageFacts, LanguageGraph, LanguageSource, TextAssets } from "../source";
import { checkLayers } from "./completeness";
import { decoder } from "./decoder";
import type { DecoderFamily } from "./decoder-family";
import { decoderSettings } from "./decoder-settings";
import { encoder } from "./encoder";
import { encoderFamilies } from "./encoder-families";
import { encoderHead } from "./encoder-heads";
import { encoderSettings } from "./encoder-settings";
import { decoderFamilies } from "./families";
import { Settings } from "./settings";
import { Weights } from "./weights";
import { LanguageGraphWriter } from "./writer";

export interface LanguageGraphOptions {
  /**
   * Tokens that a text will have, of decoders whose rotary embedding depends on that (dynamic NTK, LongRoPE): all positions use the
   * frequencies of this length. Default: as for texts no longer than the model was first trained on, and for no longer ones.
   */
  readonly length?: number;
  /** Name of the family by whose rules the files are read. Default: `model_type` of config.json. */
  readonly family?: string;
  /**
   * Of encoders: how hidden states become an embedding; null: not at all. Default: as modules.json of the folder says, or else what
   * the architecture in config.json gives.
   */
  readonly embedding?: EmbeddingSettings | null;
  /** Of encoders: the pooling alone, in place of the folder's own, or where it has none. Default: as `embedding` says. */
  readonly pooling?: EmbeddingSettings["pooling"];
}

const OPTIONS = { length: 1, family: 1, embedding: 1, pooling: 1 } satisfies Names<LanguageGraphOptions>;

type Parts = Pick<Graph<Constant>, "name" | "inputs" | "outputs" | "states">;

/**
 * Builds the graph of a language model. No weights are read.
 *
 * A decoder has an input `ids` i32 [1, tokens], an output `logits` [1, rows, vocabulary] and states of `cache` positions, whose sizes
 * bindCache sets; a run binds the symbols `position` (tokens before these) and `rows` (last tokens whose logits are wanted). The embedding
 * is the value `hidden.0`, the result of layer i `hidden.<i>`.
 *
 * An encoder has inputs `ids` i32 [batch, tokens], `lengths` i32 [batch] (tokens of each text; padding stands behind them) and, where
 * it knows types, `types` i32 [batch, tokens]. Its outputs are `embedding` [batch, hidden], `logits` [batch, classes] or
 * [batch, tokens, …], or `hidden` [batch, tokens, hidden] and, where there is one, `pooler` [batch, hidden].
 * @throws OctetteError "unsupported" that names a family, setting or tensor octette does not know; FormatError that names a tensor that
 * is missing or has another shape.
 */
export function buildLanguageGraph(
  source: LanguageSource,
  options: LanguageGraphOptions = {},
): LanguageGraph {
  checkOptions("buildLanguageGraph", options, OPTIONS);
  const weights = new Weights(source);
  const family = options.family ?? new Settings(source.config, source.where).text("model_type");
  const settings = new Settings(flat(source.config, decoderFamilies[family]), source.where);
  const writer = new LanguageGraphWriter(weights);
  const { graph, facts, mostTokens } = Object.hasOwn(decoderFamilies, family)
    ? decoderGraph(writer, settings, family, options)
    : encoderGraph(writer, settings, family, options);
  weights.ignoreLeftovers();
  weights.finish();
  checkLayers(weights);
  settings.finish();
  return {
    graph: { ...graph, nodes: writer.nodes, constants: weights.constants(), provenance: { family } },
    read: (constant) => weights.read(constant),
    readRows: (constant, begin, end) => weights.readRows(constant, begin, end),
    readCodes: (constant) => weights.readCodes(constant),
    text: { ...textOf(source), facts },
    ...(mostTokens !== undefined && { mostTokens }),
  };
}

/** Settings, with those of attention among them where a family keeps them in an object of their own. */
function flat(config: LanguageSource["config"], family: DecoderFamily | undefined): LanguageSource["config"] {
  const { attn_config: inner, ...rest } = config;
  if (!family?.hasAttentionSettings || !isJsonObject(inner)) return config;
  return { ...rest, ...inner, model_type: rest.model_type };
}

/** The text of a source: what ends one is said in generation_config.json, or where that does not say it, in config.json. */
function textOf({ config, text }: LanguageSource): TextAssets {
  const { eos_token_id } = config;
  if (eos_token_id === undefined) return text;
  return { ...text, generationConfig: { eos_token_id, ...text.generationConfig } };
}

interface Built {
  readonly graph: Parts;
  readonly facts: LanguageFacts;
  readonly mostTokens?: number;
}

function decoderGraph(
  writer: LanguageGraphWriter,
  settings: Settings,
  family: string,
  { length, pooling }: LanguageGraphOptions,
): Built {
  if (pooling !== undefined)
    throw wrongPooling(writer, "an encoder, of whose states a pooling is made", family);
  const own = decoderSettings(settings, decoderFamilies[family]!, length);
  const rotary = [...own.rotary.values()];
  const reach = Math.max(own.maxPositions, ...rotary.map((one) => one.reach));
  const maxPositions = Math.min(reach, ...rotary.map((one) => one.limit));
  return {
    graph: decoder(writer, own),
    facts: { task: "next-token", maxPositions },
    ...((own.family.positions === "learned" || own.alibi) && { mostTokens: own.maxPositions }),
  };
}

function encoderGraph(
  writer: LanguageGraphWriter,
  settings: Settings,
  family: string,
  { embedding, pooling: named }: LanguageGraphOptions,
): Built {
  const { source } = writer.weights;
  if (named !== undefined && named !== "mean" && named !== "cls")
    throw wrongPooling(writer, "mean or cls", named);
  if (!Object.hasOwn(encoderFamilies, family))
    throw new OctetteError("config.json: a model_type that octette does not know", {
      code: "unsupported",
      where: source.where,
      expected: [...Object.keys(decoderFamilies), ...Object.keys(encoderFamilies)].join(", "),
      got: family,
      hint: "Where it computes what one of these does, name that: { family }",
    });
  const own = encoderSettings(settings, encoderFamilies[family]!);
  const encoded = encoder(writer, own);
  const whole = embedding === undefined ? source.embedding : (embedding ?? undefined);
  const pooling = named ? { isNormalized: false, ...whole, pooling: named } : whole;
  const { outputs, task } = encoderHead(writer, own, encoded, pooling);
  const names = encoded.hasTypes ? ["ids", "types"] : ["ids"];
  const inputs = names.map((name) => ({ name, dtype: "i32", shape: ["batch", "tokens"] }) as const);
  const most = own.mostTokens;
  return {
    graph: {
      name: "encoder",
      inputs: [...inputs, { name: "lengths", dtype: "i32", shape: ["batch"] }],
      outputs,
    },
    facts: {
      task,
      maxPositions: Math.min(most, pooling?.maxTokens ?? most),
      ...(task === "classes" && own.labels && { labels: own.labels }),
    },
  };
}

const wrongPooling = ({ weights: { source } }: LanguageGraphWriter, expected: string, got: string) =>
  new OctetteError("pooling does not fit", {
    code: "argument",
    where: `${source.where}, pooling`,
    expected,
    got,
  });
