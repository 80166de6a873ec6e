// Windows of an encoder's layers: what lies beyond reach has no share.

import type { EncoderSettings } from "./encoder-settings";
import { indexTable } from "./token-means";
import type { LanguageGraphWriter } from "./writer";

/** What is added to scores of a layer with windows: 0 within reach, far below 0 outside. */
export function windowMask(
  writer: LanguageGraphWriter,
  settings: Pick<EncoderSettings, "positions" | "reach">,
): void {
  const { weights } = writer;
  const index = writer.slice(indexTable(writer, settings), 0, 0, "tokens", "window.index");
  const columns = writer.reshape(index, [1, "tokens"], "window.columns");
  const rows = writer.reshape(index, ["tokens", 1], "window.rows");
  const distance = writer.node(
    "Abs",
    [writer.node("Sub", [rows, columns], "window.offsets")],
    "window.distances",
  );
  const reach = weights.make("window.reach", [], [settings.reach]);
  const beyond = writer.node("Sub", [distance, reach], "window.beyond");
  const isOutside = writer.node("Clip", [beyond], "window.outside", { min: 0, max: 1 });
  const far = weights.make("window.far", [], [FAR]);
  writer.node("Mul", [isOutside, far], "window.mask");
}

/** A score that leaves nothing of a weight. */
const FAR = -1e30;
