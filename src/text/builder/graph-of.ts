// A language model's settings and tensors to a graph. Switches are chosen by settings and by which tensors are there; what neither of
// them says is looked up by the name of the family. A setting or tensor that nothing reads is an error that names it.

import { isJsonObject } from "../../formats/json";
import type {
  EmbeddingSettings,
  LanguageFacts,
  LanguageGraph,
  LanguageSource,
  TextAssets,
} from "../../formats/language-source";
import type { Graph } from "../../graph/graph";
import type { Constant } from "../../graph/tensor";
import { checkOptions, type Names } from "../../options";
import { checkLayers } from "./completeness";
import type { DecoderFamily } from "./decoder-family";
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
   * How hidden states become an embedding; null: not at all. Default: as modules.json of the folder says, or else what
   * the architecture in config.json gives.
   */
  readonly embedding?: EmbeddingSettings | null;
  /** How states become an embedding: the pooling alone, in place of the folder's own, or where it has none. Default: as `embedding` says. */
  readonly pooling?: EmbeddingSettings["pooling"];
}

const OPTIONS = { length: 1, family: 1, embedding: 1, pooling: 1 } satisfies Names<LanguageGraphOptions>;

/** What a decoder or an encoder makes of its settings. */
export interface BuiltGraph {
  readonly graph: Pick<Graph<Constant>, "name" | "inputs" | "outputs" | "states">;
  readonly facts: LanguageFacts;
  readonly mostTokens?: number;
}

/** Writes the nodes of a decoder or an encoder of a family. */
type GraphBuilder = (
  writer: LanguageGraphWriter,
  settings: Settings,
  family: string,
  options: LanguageGraphOptions,
) => BuiltGraph;

/** The name of the family by whose rules a source is read. */
const familyOf = ({ config, where }: LanguageSource, { family }: LanguageGraphOptions): string =>
  family ?? new Settings(config, where).text("model_type");

/** Whether a source generates text: a decoder's folder, or a pooling that is asked for, may say that it is for embeddings. */
export const isDecoder = (source: LanguageSource, options: LanguageGraphOptions): boolean =>
  Object.hasOwn(decoderFamilies, familyOf(source, options)) &&
  options.pooling === undefined &&
  !(options.embedding === undefined ? source.embedding : options.embedding);

/** The graph of a source, whose nodes `build` writes. */
export function graphOf(
  source: LanguageSource,
  options: LanguageGraphOptions,
  build: GraphBuilder,
): LanguageGraph {
  checkOptions("buildLanguageGraph", options, OPTIONS);
  const weights = new Weights(source);
  const family = familyOf(source, options);
  const settings = new Settings(flat(source.config, decoderFamilies[family]), source.where);
  const writer = new LanguageGraphWriter(weights);
  const { graph, facts, mostTokens } = build(writer, settings, family, options);
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
