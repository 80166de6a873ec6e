// Builds a language model's graph with code for encoders that is loaded for those alone.

import type { LanguageGraph, LanguageSource } from "../../formats/language-source";
import { decoderGraph } from "./decoder-graph";
import { graphOf, isDecoder, type LanguageGraphOptions } from "./graph-of";

/** As buildLanguageGraph. */
export async function buildLater(
  source: LanguageSource,
  options: LanguageGraphOptions,
): Promise<LanguageGraph> {
  if (isDecoder(source, options)) return graphOf(source, options, decoderGraph);
  const { encoderGraph } = await import("./encoder-graph");
  return graphOf(source, options, encoderGraph);
}
