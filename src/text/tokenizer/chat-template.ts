// Where a model's chat template is: apart from what renders it.

import { isJsonObject } from "../../formats/json";
import type { TextAssets } from "../../formats/language-source";

/** The chat template of a model, from chat_template.jinja or by name from tokenizer_config.json; undefined when there is none. */
export function templateOf(assets: TextAssets, name?: string): string | undefined {
  const own = assets.tokenizerConfig?.chat_template;
  const named = Array.isArray(own)
    ? new Map(own.filter(isJsonObject).map(({ name, template }) => [name, template]))
    : new Map<unknown, unknown>(typeof own === "string" ? [["default", own]] : []);
  if (assets.chatTemplate !== undefined) named.set("default", assets.chatTemplate);
  const template = named.get(name ?? "default");
  return typeof template === "string" ? template : undefined;
}
