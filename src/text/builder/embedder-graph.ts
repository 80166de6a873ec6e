// Embeddings of decoders: a run reads a whole text, and the states after the last norm are pooled.

import { OctetteError } from "../../errors";
import { brief } from "../../formats/checks";
import { isJsonObject } from "../../formats/json";
import type { EmbeddingSettings } from "../../formats/language-source";
import { subtractDims } from "../../graph/symbols";
import { decoderStates, finalNorm } from "./decoder";
import { decoderSettings } from "./decoder-settings";
import { writeEmbedding } from "./embedding-layers";
import { decoderFamilies } from "./families";
import type { BuiltGraph } from "./graph-of";
import type { Settings } from "./settings";
import { windowMask } from "./window-mask";
import type { LanguageGraphWriter } from "./writer";

/** A head of logits, which embeddings do without. */
const HEAD = /^((lm_head|embed_out|output_projection)\.|decoder\.(weight|bias)$)/;

/** Writes the nodes of a decoder that makes embeddings: input `ids` i32 [1, tokens], output `embedding` [1, …]. */
export function embedderGraph(
  writer: LanguageGraphWriter,
  settings: Settings,
  name: string,
  embedding: EmbeddingSettings,
  length: number | undefined,
): BuiltGraph {
  const family = decoderFamilies[name]!;
  const isCausal = !(family.mayLookAhead && settings.flag("use_bidirectional_attention", false));
  const own = { ...decoderSettings(settings, family, length), wholeTexts: { isCausal } };
  if (own.alibi || own.layers.some(({ kind }) => kind === "convolution"))
    throw new OctetteError("no embeddings are made with this family", {
      code: "unsupported",
      where: settings.where,
      expected: "heads that rotate, or a table of positions",
      got: name,
      hint: "Load the folder without modules.json, to generate text with it",
    });
  rejectOwnCode(settings);
  writer.position = 0;
  const limits = [...own.rotary.values()].map(({ limit }) => limit);
  const most = Math.min(own.maxPositions, embedding.maxTokens ?? Infinity, ...limits);
  const window = Math.max(...own.layers.map((layer) => layer.window));
  const reach = isCausal ? window - 1 : Math.floor(window / 2);
  if (window > 0) windowMask(writer, { positions: most, reach });
  const { x, prefix } = decoderStates(writer, own, []);
  const states = finalNorm(writer, own, x, prefix);
  writer.weights.ignore(HEAD);
  writeEmbedding(writer, own.hidden, embedding, (output) =>
    pooled(writer, states, own.hidden, embedding, output),
  );
  return {
    graph: {
      name: "encoder",
      inputs: [{ name: "ids", dtype: "i32", shape: [1, "tokens"] }],
      outputs: ["embedding"],
    },
    facts: { task: "embedding", maxPositions: most },
  };
}

/** Throws where a folder brings code of its own for its states: tokens may see those behind them there. */
function rejectOwnCode(settings: Settings): void {
  const code = settings.value("auto_map");
  const names = [settings.value("architectures")].flat();
  const own = names.find((one) => /bidirectional/i.test(String(one)));
  if (own === undefined && !(isJsonObject(code) && "AutoModel" in code)) return;
  throw new OctetteError("the folder has code of its own, with which tokens may see those behind them", {
    code: "unsupported",
    where: settings.where,
    got: brief(own ?? code),
    hint: "Where they do not, remove auto_map and name the architecture of the family",
  });
}

function pooled(
  writer: LanguageGraphWriter,
  states: string,
  hidden: number,
  { pooling }: EmbeddingSettings,
  output: string,
): string {
  if (pooling === "mean") return writer.node("ReduceMean", [states], output, { axes: [1], keepdims: 0 });
  const [first, end] =
    pooling === "cls" ? ([0, 1] as const) : ([subtractDims("tokens", 1), "tokens"] as const);
  return writer.reshape(writer.slice(states, 1, first, end, `${output}.row`), [1, hidden], output);
}
