// A language model's settings and tensors to a graph. Switches are chosen by settings and by which tensors are there; what neither of
// them says is looked up by the name of the family. A setting or tensor that nothing reads is an error that names it.

import { OctetteError } from "../../errors";
import { checkOptions, type Names } from "../../options";
import type { LanguageFacts, LanguageGraph, LanguageSource } from "../source";
import { decoder } from "./decoder";
import { decoderSettings } from "./decoder-settings";
import { decoderFamilies } from "./families";
import { Settings } from "./settings";
import { Weights } from "./weights";
import { GraphWriter } from "./writer";

export interface LanguageGraphOptions {
  /**
   * Tokens that a text will have, of models whose rotary embedding depends on that (dynamic NTK, LongRoPE): all positions use the
   * frequencies of this length. Default: as for texts no longer than the model was first trained on.
   */
  readonly length?: number;
  /** Name of the family by whose rules the files are read. Default: `model_type` of config.json. */
  readonly family?: string;
}

const OPTIONS = { length: 1, family: 1 } satisfies Names<LanguageGraphOptions>;

/**
 * Builds the graph of a language model. Of a decoder: input `ids` i32 [1, tokens], output `logits` [1, rows, vocabulary], states of
 * `cache` positions (bindCache sets their sizes), symbols `position` and `rows` that a run binds; the embedding is `hidden.0`, the result of
 * layer i `hidden.<i>`. No weights are read.
 * @throws OctetteError "unsupported" that names a family, setting or tensor octette does not know; FormatError that names a tensor that
 * is missing or has another shape.
 */
export function buildLanguageGraph(
  source: LanguageSource,
  options: LanguageGraphOptions = {},
): LanguageGraph {
  checkOptions("buildLanguageGraph", options, OPTIONS);
  const weights = new Weights(source);
  const settings = new Settings(source.config, source.where);
  const writer = new GraphWriter(weights);
  const family = options.family ?? settings.text("model_type");
  if (!Object.hasOwn(decoderFamilies, family))
    throw new OctetteError("config.json: a model_type that octette does not know", {
      code: "unsupported",
      where: source.where,
      expected: Object.keys(decoderFamilies).join(", "),
      got: family,
      hint: "Where it computes what one of these does, name that: { family }",
    });
  const own = decoderSettings(settings, decoderFamilies[family]!, options.length);
  const graph = decoder(writer, own);
  const facts: LanguageFacts = { task: "next-token", maxPositions: own.maxPositions };
  weights.ignoreLeftovers();
  weights.finish();
  settings.finish();
  return {
    graph: { ...graph, constants: weights.constants(), provenance: { family } },
    read: (constant) => weights.read(constant),
    readCodes: (constant) => weights.readCodes(constant),
    text: { ...source.text, facts },
  };
}
