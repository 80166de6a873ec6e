// What a language model generates from a seed, as one text to compare: the logits after the prompt, the text, and the session with all
// that the model has kept of it. Runs in every engine and host.

import { hexOf } from "./hex.js";

/** A text to quantize by. */
export const CALIBRATION = "The same bytes on every engine, whatever it is.";

const PROMPT = "A prompt that is longer than the window of attention";
const OPTIONS = { maxTokens: 24, temperature: 1, topP: 0.95, seed: 5 };

export async function generatedBy(loadLanguageModel, source, options) {
  const model = await loadLanguageModel(source, { maxTokens: 96, ...options });
  const session = model.session();
  let first;
  const processLogits = (logits) => {
    first ??= hexOf(logits);
  };
  let text = "";
  for await (const piece of session.generate(PROMPT, { ...OPTIONS, processLogits })) text += piece.text;
  const saved = hexOf(session.save());
  model.dispose();
  return [first, text, saved].join(" ");
}
