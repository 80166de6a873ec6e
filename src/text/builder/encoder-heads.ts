// What follows an encoder's hidden states: one embedding a text, logits of classes, or logits of every token.

import { OctetteError } from "../../errors";
import type { EmbeddingSettings, LanguageFacts } from "../../formats/language-source";
import { writeEmbedding } from "./embedding-layers";
import type { EncodedTokens } from "./encoder";
import type { EncoderSettings } from "./encoder-settings";
import { findPart, needPart } from "./layer-names";
import { meanOfTokens } from "./token-means";
import type { LanguageGraphWriter } from "./writer";

/** The outputs of a graph, and its task. */
export interface Head {
  readonly outputs: readonly string[];
  readonly task: LanguageFacts["task"];
}

/** Tensors of heads, which a file keeps although its model is used without them. */
const HEADS =
  /^(\w+\.)?(pooler\.(dense\.)?|lm_predictions\.|cls\.(predictions|seq_relationship)\.|sop_classifier\.|predictions\.|lm_head\.(dense|layer_norm|bias|decoder|weight)|vocab_(transform|layer_norm|projector)\.|generator_|contact_head\.|discriminator_predictions\.|head\.(dense|norm)\.|entity_(embeddings|predictions)\.|encoder\.layer\.\d+\.attention\.self\.(e2[ew]|w2e)_query\.|decoder\.(bias|weight))/;

/** Parts of a head that predicts tokens, in the names of each family. */
const PREDICTORS = [
  {
    dense: "cls.predictions.transform.dense",
    norm: "cls.predictions.transform.LayerNorm",
    decoder: "cls.predictions.decoder",
    bias: "cls.predictions.bias",
  },
  {
    dense: "cls.predictions.dense",
    norm: "cls.predictions.LayerNorm",
    decoder: "cls.predictions.decoder",
    bias: "cls.predictions.decoder.bias",
  },
  { dense: "lm_head.dense", norm: "lm_head.layer_norm", decoder: "lm_head.decoder", bias: "lm_head.bias" },
  {
    dense: "vocab_transform",
    norm: "vocab_layer_norm",
    decoder: "vocab_projector",
    bias: "vocab_projector.bias",
  },
  {
    dense: "generator_predictions.dense",
    norm: "generator_predictions.LayerNorm",
    decoder: "generator_lm_head",
    bias: "generator_lm_head.bias",
  },
  {
    dense: "predictions.dense",
    norm: "predictions.LayerNorm",
    decoder: "predictions.decoder",
    bias: "predictions.bias",
  },
  { dense: "head.dense", norm: "head.norm", decoder: "decoder", bias: "decoder.bias" },
] as const;

/**
 * Writes what follows `hidden`: what `embedding` says, or what the file's architecture says. Throws OctetteError "unsupported" where
 * that is a head octette does not have.
 */
export function encoderHead(
  writer: LanguageGraphWriter,
  settings: EncoderSettings,
  encoded: EncodedTokens,
  embedding: EmbeddingSettings | undefined,
): Head {
  const { weights } = writer;
  const head = embedding ? embed(writer, settings, embedding) : byArchitecture(writer, settings, encoded);
  weights.ignore(HEADS);
  return head;
}

function byArchitecture(
  writer: LanguageGraphWriter,
  settings: EncoderSettings,
  encoded: EncodedTokens,
): Head {
  const { architecture } = settings;
  if (architecture === "SequenceClassification") return classes(writer, settings, encoded);
  if (architecture === "TokenClassification") return everyToken(writer, settings, ["classifier"]);
  if (architecture === "QuestionAnswering") return everyToken(writer, settings, ["qa_outputs"]);
  const predictor = PREDICTORS.find(({ dense }) => writer.weights.has(`${dense}.weight`));
  if (predictor && ["MaskedLM", "PreTraining"].includes(architecture))
    return predictions(writer, settings, encoded, predictor);
  if (architecture === "MaskedLM" && settings.family.isHeadPlain)
    return plainPredictions(writer, settings, encoded);
  if (architecture === "PreTraining") return discriminator(writer, settings);
  if (architecture !== "")
    throw new OctetteError("config.json: an architecture that octette does not have", {
      code: "unsupported",
      where: writer.weights.source.where,
      expected:
        "Model, ForSequenceClassification, ForTokenClassification, ForQuestionAnswering, ForMaskedLM or ForPreTraining",
      got: `For${architecture}`,
    });
  const pooler = poolerOf(writer, encoded);
  if (!pooler) return { outputs: ["hidden"], task: "hidden" };
  pooled(writer, settings, pooler, "pooler");
  return { outputs: ["hidden", "pooler"], task: "hidden" };
}

/** The state of each text's first token, [batch, hidden]. */
function firstToken(writer: LanguageGraphWriter, { hidden }: EncoderSettings, output: string): string {
  const first = writer.slice("hidden", 1, 0, 1, `${output}.row`);
  return writer.reshape(first, ["batch", hidden], output);
}

function embed(writer: LanguageGraphWriter, settings: EncoderSettings, embedding: EmbeddingSettings): Head {
  const pool = embedding.pooling === "mean" ? meanOfTokens : firstToken;
  writeEmbedding(writer, settings.hidden, embedding, (output) => pool(writer, settings, output));
  return { outputs: ["embedding"], task: "embedding" };
}

/** The layer that BERT keeps for whole texts. */
const poolerOf = ({ weights }: LanguageGraphWriter, { prefix }: EncodedTokens): string | undefined =>
  findPart(weights, prefix, ["pooler.dense", "pooler"]) ?? findPart(weights, "", ["pooler.dense"]);

function pooled(
  writer: LanguageGraphWriter,
  settings: EncoderSettings,
  pooler: string,
  output: string,
): string {
  const { hidden, disentangled } = settings;
  const dense = writer.linear(
    firstToken(writer, settings, "first"),
    pooler,
    [hidden, hidden],
    "pooler.dense",
  );
  return writer.activation(disentangled?.poolerActivation ?? "tanh", dense, output);
}

function classes(writer: LanguageGraphWriter, settings: EncoderSettings, encoded: EncodedTokens): Head {
  const { weights } = writer;
  const { hidden, norm, headActivation, classPooling } = settings;
  const dense = findPart(weights, "", ["classifier.dense", "pre_classifier", "head.dense", "dense"]);
  const pooler = dense ? undefined : poolerOf(writer, encoded);
  const isLate = classPooling === "late";
  let read: string;
  if (pooler) read = pooled(writer, settings, pooler, "pooler");
  else {
    const layer = dense ?? needPart(weights, encoded.prefix, ["pooler.dense"]);
    const vector = classPooling === "mean" ? meanOfTokens : firstToken;
    const from = isLate ? "hidden" : vector(writer, settings, "first");
    // EuroBERT's own biases are optional, those of this head are not.
    writer.needsBiases ||= layer === "dense";
    const inner = writer.linear(from, layer, [hidden, hidden], "classes.dense");
    read = writer.activation(headActivation, inner, "classes.active");
    if (layer === "head.dense") read = writer.norm(read, "head.norm", hidden, norm, "classes.normed");
    // The last layer is linear: the mean of its results is its result for the mean.
    if (isLate) read = meanOfTokens(writer, settings, "classes.mean", read);
  }
  const last = needPart(weights, "", ["classifier.out_proj", "classifier"]);
  const [count = 0] = weights.shapeOf(`${last}.weight`);
  writer.needsBiases = true;
  writer.linear(read, last, [count, hidden], "logits");
  return { outputs: ["logits"], task: "classes" };
}

function everyToken(
  writer: LanguageGraphWriter,
  { hidden }: EncoderSettings,
  names: readonly string[],
): Head {
  const { weights } = writer;
  const last = needPart(weights, "", names);
  const [count = 0] = weights.shapeOf(`${last}.weight`);
  writer.needsBiases = true;
  writer.linear("hidden", last, [count, hidden], "logits");
  return { outputs: ["logits"], task: "every-token" };
}

/** Logits of all tokens by one layer. */
function plainPredictions(
  writer: LanguageGraphWriter,
  { hidden, vocabulary, isTied }: EncoderSettings,
  { table }: EncodedTokens,
): Head {
  const shape = [vocabulary, hidden] as const;
  const own = "lm_head.weight";
  // A file may repeat the table that it ties.
  if (isTied && writer.weights.has(own)) writer.weights.repeat(own, `${table}.weight`, shape);
  const bias = writer.weights.has("lm_head.bias") ? [writer.vector("lm_head.bias", vocabulary)] : [];
  if (isTied) writer.node("Linear", ["hidden", `${table}.weight`, ...bias], "logits");
  else writer.linear("hidden", "lm_head", shape, "logits");
  return { outputs: ["logits"], task: "every-token" };
}

function predictions(
  writer: LanguageGraphWriter,
  settings: EncoderSettings,
  { table, width: tableWidth }: EncodedTokens,
  { dense, norm, decoder, bias }: (typeof PREDICTORS)[number],
): Head {
  const { weights } = writer;
  const { hidden, vocabulary, activation } = settings;
  const width = settings.isTied ? tableWidth : weights.shapeOf(`${dense}.weight`)[0]!;
  const inner = writer.linear("hidden", dense, [width, hidden], "predictions.dense");
  // The heads of RoBERTa and Electra have this function whatever the settings say.
  const isFixed = /^(lm_head|generator)/.test(dense);
  const active = writer.activation(isFixed ? "gelu" : activation, inner, "predictions.active");
  const normed = writer.norm(active, norm, width, settings.norm, "predictions.normed");
  const own = `${decoder}.weight`;
  const shape = [vocabulary, width];
  if (!settings.isTied) weights.add(own, { tensors: [own], from: shape, shape });
  else if (weights.has(own)) weights.repeat(own, `${table}.weight`, shape);
  const rows = settings.isTied ? `${table}.weight` : own;
  const name = weights.has(bias) ? bias : `${decoder}.bias`;
  writer.node("Linear", [normed, rows, writer.vector(name, vocabulary)], "logits");
  return { outputs: ["logits"], task: "every-token" };
}

/** Whether each token was replaced, of Electra: one logit a token. */
function discriminator(writer: LanguageGraphWriter, { hidden, activation }: EncoderSettings): Head {
  const name = "discriminator_predictions";
  const inner = writer.linear("hidden", `${name}.dense`, [hidden, hidden], "predictions.dense");
  const active = writer.activation(activation, inner, "predictions.active");
  writer.linear(active, `${name}.dense_prediction`, [1, hidden], "logits");
  return { outputs: ["logits"], task: "every-token" };
}
