// Means over the tokens of each text, which padding does not change.

import type { EncoderSettings } from "./encoder-settings";
import type { LanguageGraphWriter } from "./writer";

/** Whole numbers from 0 to the most tokens a text can have, as floats. */
export function indexTable(
  { weights }: LanguageGraphWriter,
  { positions }: Pick<EncoderSettings, "positions">,
): string {
  return weights.make(
    "index",
    [positions + 1],
    Float32Array.from({ length: positions + 1 }, (_, i) => i),
  );
}

/** The mean of each text's states, padding aside, [batch, width]. */
export function meanOfTokens(
  writer: LanguageGraphWriter,
  settings: EncoderSettings,
  output: string,
  states = "hidden",
  width = settings.hidden,
): string {
  const table = indexTable(writer, settings);
  const counts = writer.reshape(
    writer.node("Gather", [table, "lengths"], `${output}.lengths`),
    ["batch", 1],
    `${output}.counts`,
  );
  const index = writer.slice(table, 0, 0, "tokens", `${output}.index`);
  const left = writer.node("Sub", [counts, index], `${output}.left`);
  const isText = writer.node("Clip", [left], `${output}.isText`, { min: 0, max: 1 });
  const weights = writer.reshape(isText, ["batch", 1, "tokens"], `${output}.weights`);
  const sums = writer.reshape(
    writer.node("MatMul", [weights, states], `${output}.sums`),
    ["batch", width],
    `${output}.sum`,
  );
  const atLeastOne = writer.node("Clip", [counts], `${output}.divisor`, { min: 1 });
  return writer.node("Div", [sums, atLeastOne], output);
}
