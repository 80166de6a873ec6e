// Builds a language model's graph where code for decoders and for encoders is there.

import type { LanguageGraph, LanguageSource } from "../../formats/language-source";
import { decoderGraph } from "./decoder-graph";
import { encoderGraph } from "./encoder-graph";
import { graphOf, isDecoder, type LanguageGraphOptions } from "./graph-of";

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
  return graphOf(source, options, isDecoder(source, options) ? decoderGraph : encoderGraph);
}
