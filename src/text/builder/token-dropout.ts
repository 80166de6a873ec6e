// Token dropout of ESM: masked tokens have no embedding, and the others grow by as much as there are fewer of them than in training.

import type { EncoderSettings } from "./encoder-settings";
import { meanOfTokens } from "./token-means";
import type { LanguageGraphWriter } from "./writer";

/** Share of tokens that kept their embedding in training: of 15 %, four fifths were masked. */
const KEPT = 1 - 0.15 * 0.8;

/** Embeddings [batch, tokens, width] without those of the dropped token, times the share kept in training over that of the text. */
export function withoutDropped(writer: LanguageGraphWriter, settings: EncoderSettings, rows: string): string {
  const { droppedToken, vocabulary } = settings;
  if (droppedToken === undefined) return rows;
  const isKept = new Float32Array(vocabulary).fill(1);
  isKept[droppedToken] = 0;
  const table = writer.weights.make("tokens.isKept", [vocabulary], isKept);
  const flat = writer.node("Gather", [table, "ids"], "tokens.kept.flat", { axis: 0 });
  const kept = writer.reshape(flat, ["batch", "tokens", 1], "tokens.kept");
  const share = writer.reshape(
    meanOfTokens(writer, settings, "tokens.share", kept, 1),
    ["batch", 1, 1],
    "tokens.share.each",
  );
  const left = writer.node("Mul", [rows, kept], "tokens.left");
  return writer.node("Div", [writer.scaled(left, KEPT, "tokens.scaled"), share], "tokens.grown");
}
