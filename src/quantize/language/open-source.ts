// The source of a quantized language model: its graph, opened when it is not open yet.

import { OctetteError } from "../../errors";
import type { LanguageGraph, LanguageSource } from "../../formats/language-source";
import { buildLanguageGraph } from "../../text/builder/build";
import { checkMaxTokens } from "../../text/max-tokens";
import { type LanguageModelSource, openLanguage } from "../../text/open-language";
import type { QuantizeLanguageOptions } from "./options";

/** What can be quantized: anything that a language model of floats is loaded from, opened or not. */
export type QuantizableLanguage = LanguageModelSource | LanguageSource | LanguageGraph;

const isOpened = (model: QuantizableLanguage): model is LanguageSource | LanguageGraph =>
  typeof model === "object" && "text" in model && "read" in model;

/** The graph of a model for texts of `maxTokens`, or with a pooling, and a function that closes the files opened for it. */
export async function openSource(
  model: QuantizableLanguage,
  { maxTokens, pooling, signal }: Pick<QuantizeLanguageOptions, "maxTokens" | "pooling" | "signal">,
): Promise<{ source: LanguageGraph; close: () => Promise<void> }> {
  const given = isOpened(model) ? { source: model } : await openLanguage(model, signal);
  if ("artifact" in given) {
    await given.artifact.close();
    throw new OctetteError("is an .octette already", {
      code: "argument",
      where: given.where,
      expected: "a folder of Hugging Face or a GGUF file",
    });
  }
  const { source } = given;
  const close = async () => {
    if (!isOpened(model) && "close" in source) await source.close();
  };
  if (!("config" in source)) {
    if (maxTokens === undefined && pooling === undefined) return { source, close };
    throw new OctetteError("the graph is made already", {
      code: "argument",
      where: `quantizeLanguageModel, ${pooling === undefined ? "maxTokens" : "pooling"}`,
      hint: "buildLanguageGraph(source, { length, pooling })",
    });
  }
  try {
    const built = buildLanguageGraph(source, {
      ...(maxTokens !== undefined && { length: maxTokens }),
      ...(pooling !== undefined && { pooling }),
    });
    checkMaxTokens(maxTokens, built.text.facts!, "quantizeLanguageModel");
    return { source: built, close };
  } catch (error) {
    await close();
    throw error;
  }
}
