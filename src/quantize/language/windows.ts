// Text in windows: runs of tokens that a model reads each from its beginning.

import type { LanguageGraph } from "../../formats/language-source";

/** Tokens of a window. */
export const WINDOW = 256;

/** Tokens of a window of a model: fewer where its table of positions has fewer rows. */
export const windowTokens = ({ mostTokens = WINDOW }: Pick<LanguageGraph, "mostTokens">): number =>
  Math.min(WINDOW, mostTokens);

/** At most so many windows of so many tokens, spread evenly over a text. A text shorter than a window is one short window. */
export function windowsOf(ids: Int32Array, tokens: number, most: number): Int32Array[] {
  const whole = Math.floor(ids.length / tokens);
  if (whole === 0) return ids.length > 1 ? [ids] : [];
  return spread(whole, most).map((w) => ids.subarray(w * tokens, (w + 1) * tokens));
}

/** At most `most` of 0 … count − 1, spread evenly. */
function spread(count: number, most: number): number[] {
  const taken = Math.min(count, most);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}

/** Windows in two parts: every fifth is held out, where there are five. */
export function heldOut(windows: readonly Int32Array[]): { kept: Int32Array[]; held: Int32Array[] } {
  const isHeld = (i: number) => windows.length >= 5 && i % 5 === 4;
  return {
    kept: windows.filter((_, i) => !isHeld(i)),
    held: windows.filter((_, i) => isHeld(i)),
  };
}

/** At most so many of some windows, spread evenly. */
export const someOf = (windows: readonly Int32Array[], most: number): Int32Array[] =>
  spread(windows.length, most).map((i) => windows[i]!);
