// What is known of an encoder beside its nodes: how its states are pooled, and its most tokens.

import { OctetteError } from "../../errors";
import { embedderGraph } from "./embedder-graph";
import { encoder } from "./encoder";
import { encoderFamilies } from "./encoder-families";
import { encoderHead } from "./encoder-heads";
import { encoderSettings } from "./encoder-settings";
import { decoderFamilies } from "./families";
import type { BuiltGraph, LanguageGraphOptions } from "./graph-of";
import type { Settings } from "./settings";
import type { LanguageGraphWriter } from "./writer";

/** Writes the nodes of an encoder, or of a decoder that makes embeddings; what else is known of it. */
export function encoderGraph(
  writer: LanguageGraphWriter,
  settings: Settings,
  family: string,
  { embedding, pooling: named, length }: LanguageGraphOptions,
): BuiltGraph {
  const { source } = writer.weights;
  const whole = embedding === undefined ? source.embedding : (embedding ?? undefined);
  const pooling = named ? { isNormalized: false, ...whole, pooling: named } : whole;
  const isDecoder = Object.hasOwn(decoderFamilies, family);
  if (pooling && !(isDecoder ? /^(mean|cls|last)$/ : /^(mean|cls)$/).test(pooling.pooling))
    throw new OctetteError("pooling does not fit", {
      code: named ? "argument" : "unsupported",
      where: `${source.where}, pooling`,
      expected: isDecoder ? "mean, cls or last" : "mean or cls",
      got: pooling.pooling,
      hint: 'Name another: { pooling: "mean" }, --pooling mean',
    });
  if (isDecoder) return embedderGraph(writer, settings, family, pooling!, length);
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
