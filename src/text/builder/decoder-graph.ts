// What is known of a decoder beside its nodes.

import { decoder } from "./decoder";
import { decoderSettings } from "./decoder-settings";
import { decoderFamilies } from "./families";
import type { BuiltGraph, LanguageGraphOptions } from "./graph-of";
import type { Settings } from "./settings";
import type { LanguageGraphWriter } from "./writer";

/** Writes the nodes of a decoder; what else is known of it. */
export function decoderGraph(
  writer: LanguageGraphWriter,
  settings: Settings,
  family: string,
  { length }: LanguageGraphOptions,
): BuiltGraph {
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
